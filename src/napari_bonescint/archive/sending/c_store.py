"""C-STORE of results (PS3.4 annex B)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pydicom
from pynetdicom import build_context

from napari_bonescint.archive.connection.association import associate
from napari_bonescint.archive.connection.failures import cut_off
from napari_bonescint.archive.connection.object_kinds import TRANSFER_SYNTAXES
from napari_bonescint.archive.connection.status_codes import failure_reason
from napari_bonescint.archive.errors import ArchiveError, Unreachable
from napari_bonescint.archive.records import Answer, Outcome
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext

    from napari_bonescint.archive.connection.line import Line
    from napari_bonescint.archive.sending.outgoing import Outgoing
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup


def store(setup: ArchiveSetup, objects: Sequence[Outgoing], line: Line, tell: Callable[[Answer], None]) -> None:
    """C-STORE each object, and tell the archive's answer to each as it comes.

    If the connection is lost, the rest is tried once more in a new association: repeating is safe, since an object has
    the same identifiers and content in each try.
    """
    waiting = list(objects)
    for last in (False, True):
        try:
            association = associate(setup, _store_contexts(waiting), line)
        except ArchiveError as error:
            outcome = Outcome.FAILED if isinstance(error, Unreachable) else Outcome.REFUSED
            for each in waiting:
                tell(Answer(each.instance_uid, outcome, str(error)))
            return
        try:
            while waiting:
                answer = _store_one(setup, association, waiting[0])
                if answer.outcome is Outcome.FAILED and not last:
                    break
                tell(answer)
                waiting.pop(0)
        finally:
            line.release()
        if not waiting:
            return


def _store_one(setup: ArchiveSetup, association: Association, each: Outgoing) -> Answer:
    try:
        with quiet():
            dataset = pydicom.dcmread(io.BytesIO(each.content))
            status = association.send_c_store(dataset)
    except ValueError:
        return Answer(
            each.instance_uid,
            Outcome.REFUSED,
            f"{setup.name}: does not take this kind of object; ask its administrator.",
        )
    except (RuntimeError, AttributeError):  # the association has ended
        status = pydicom.Dataset()
    if "Status" not in status:
        return Answer(each.instance_uid, Outcome.FAILED, str(cut_off(setup.name, setup.host, setup.port)))
    code = int(status.Status)
    if code == 0 or code >> 12 == 0xB:
        warned = "" if code == 0 else f", with the warning {code:04X}"
        return Answer(each.instance_uid, Outcome.STORED, f"{setup.name}: stored it{warned}.")
    if code == 0x0111:
        return Answer(each.instance_uid, Outcome.PRESENT, f"{setup.name}: has it already.")
    return Answer(each.instance_uid, Outcome.REFUSED, f"{setup.name}: refused it ({failure_reason(code)}).")


def present(setup: ArchiveSetup, each: Outgoing) -> Answer:
    """The answer about an object that the archive has already, so it is not sent."""
    return Answer(each.instance_uid, Outcome.PRESENT, f"{setup.name}: has it already.", confirmed=True)


def _store_contexts(objects: Sequence[Outgoing]) -> list[PresentationContext]:
    kinds: dict[tuple[str, str], None] = {}
    for each in objects:
        kinds[each.sop_class, each.transfer_syntax] = None
    # What is not compressed may be sent in another form.
    plain = [build_context(each, list(TRANSFER_SYNTAXES[:2])) for each in dict.fromkeys(kind for kind, _ in kinds)]
    return [*(build_context(kind, syntax) for kind, syntax in kinds), *plain][:128]
