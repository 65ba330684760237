"""DICOMweb: QIDO-RS to search, WADO-RS to get, STOW-RS to send (PS3.18).

Searches go through dicomweb-client. It would parse what it retrieves outside our limits, and drop the reason of a
refused store; so whole instances are got, and sent, through the same session directly. Single frames are never asked
for: many archives answer 400 or 406 to their media types.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from dicomweb_client.web import DICOMwebClient
from pydicom.dataset import Dataset

from napari_bonescint.archive.answers import (
    INSTANCE_FIELDS,
    SERIES_FIELDS,
    STUDY_FIELDS,
    found,
    instance_reader,
    newest_first,
    read_study,
    series_reader,
)
from napari_bonescint.archive.connection import multipart
from napari_bonescint.archive.connection.failures import no_answer
from napari_bonescint.archive.connection.http_session import MOST_JSON_BYTES, MOST_SECONDS, BoundedSession
from napari_bonescint.archive.connection.status_codes import failure_reason
from napari_bonescint.archive.connection.waiting import wait_for
from napari_bonescint.archive.errors import ArchiveError, Unreachable
from napari_bonescint.archive.progress import Progress, ignore, never
from napari_bonescint.archive.receiving.inbox import MOST_OBJECT_BYTES
from napari_bonescint.archive.records import MOST_MATCHES, Answer, Outcome, Query
from napari_bonescint.archive.sending.outgoing import require_same_patient
from napari_bonescint.errors import BonescintError, Cancelled
from napari_bonescint.files.facts import parse_json
from napari_bonescint.formats.dicom.header import Header
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_bonescint.archive.progress import IsCancelled, OnProgress
    from napari_bonescint.archive.receiving.inbox import Inbox
    from napari_bonescint.archive.records import Found, Instance, Received, Series, Study
    from napari_bonescint.archive.sending.outgoing import Outgoing
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

T = TypeVar("T")

_DICOM = "application/dicom"
_SECONDS_BEFORE_RETRY = 0.3
_WORDS = {
    401: "the login is wrong or missing; check user and password, or the token",
    403: "this login may not do that; ask the archive's administrator",
    404: "there is no such thing at this address; check the address of the DICOMweb service",
    406: "it does not give images in the form that they are asked for (406); ask the archive's administrator",
    413: "the object is too large for it; ask the archive's administrator",
    503: "it is too busy; try again later",
}


class DicomWebArchive:
    """An archive with DICOMweb; `interface.Archive` describes the methods."""

    def __init__(self, setup: ArchiveSetup) -> None:
        self.setup = setup
        self._url = setup.url.rstrip("/")
        self._session = BoundedSession(setup)
        self._client = DICOMwebClient(self._url, session=self._session)
        # One retry of our own, for what is safe to repeat.
        self._client.set_http_retry_params(retry=False)

    def echo(self, *, is_cancelled: IsCancelled = never) -> str:
        """Search for one study."""
        began = time.monotonic()
        self._wait(partial(self._search, self._client.search_for_studies, limit=1), is_cancelled)
        login = f" as {self.setup.user}" if self.setup.user else ""
        milliseconds = 1000 * (time.monotonic() - began)
        return f"{self.setup.name}: DICOMweb answers{login} after {milliseconds:.0f} ms."

    def find_studies(self, query: Query, *, is_cancelled: IsCancelled = never) -> Found[Study]:
        """Find studies by QIDO-RS."""
        if problem := query.problem():
            raise ArchiveError(problem)
        ask = partial(
            self._search,
            self._client.search_for_studies,
            search_filters={keyword: _asked(value) for keyword, value in query.matching().items()},
            fields=list(STUDY_FIELDS),
            limit=MOST_MATCHES + 1,
        )
        studies = newest_first(found(self._wait(ask, is_cancelled), read_study))
        if all(_asked(value) == value for value in query.matching().values()):
            return studies
        return replace(studies, items=tuple(filter(query.fits, studies.items)))

    def find_series(self, study_uid: str, *, is_cancelled: IsCancelled = never) -> Found[Series]:
        """Find series by QIDO-RS."""
        ask = partial(
            self._search,
            self._client.search_for_series,
            study_uid,
            fields=list(SERIES_FIELDS),
            limit=MOST_MATCHES + 1,
        )
        return found(self._wait(ask, is_cancelled), series_reader(study_uid))

    def find_instances(self, study_uid: str, series_uid: str, *, is_cancelled: IsCancelled = never) -> Found[Instance]:
        """Find instances by QIDO-RS."""
        ask = partial(
            self._search,
            self._client.search_for_instances,
            study_uid,
            series_uid,
            fields=list(INSTANCE_FIELDS),
            limit=MOST_MATCHES + 1,
        )
        return found(self._wait(ask, is_cancelled), instance_reader(study_uid, series_uid))

    def get(
        self, series: Series, inbox: Inbox, *, on_progress: OnProgress = ignore, is_cancelled: IsCancelled = never
    ) -> tuple[Received, ...]:
        """Get each instance of a series by WADO-RS."""
        listed = self.find_instances(series.study_uid, series.uid, is_cancelled=is_cancelled)
        if not listed.complete:
            raise ArchiveError(
                f"{self.setup.name}: the series has more than {MOST_MATCHES} images, so it is no planar scan."
            )
        received: list[Received] = []
        size = 0
        on_progress(Progress(0, len(listed.items), 0))
        for instance in listed.items:
            content = self._wait(partial(self._instance, instance), is_cancelled, seconds=None)
            size += len(content)
            received.append(inbox.take(content, study=series.study_uid, series=series.uid, instance=instance.uid))
            on_progress(Progress(len(received), len(listed.items), size))
        return tuple(received)

    def send(
        self, objects: Sequence[Outgoing], *, on_progress: OnProgress = ignore, is_cancelled: IsCancelled = never
    ) -> tuple[Answer, ...]:
        """Send objects by STOW-RS, each by itself, and search for each afterwards."""
        for study in dict.fromkeys(each.study_uid for each in objects):
            query = Query(study_uid=study, modality="")
            for filed in self.find_studies(query, is_cancelled=is_cancelled).items:
                if filed.uid == study:
                    same = [each for each in objects if each.study_uid == study]
                    require_same_patient(same, filed.patient_id, self.setup.name)
        answers: list[Answer] = []
        size = 0
        for each in objects:
            answers.append(self._sent(each, is_cancelled))
            size += len(each.content)
            on_progress(Progress(len(answers), len(objects), size))
        return tuple(answers)

    def close(self) -> None:
        """End connections."""
        self._session.cut()

    def _sent(self, each: Outgoing, is_cancelled: IsCancelled) -> Answer:
        try:
            if self._has(each, is_cancelled):
                return Answer(each.instance_uid, Outcome.PRESENT, "It is in the archive already.", confirmed=True)
            answer = self._wait(partial(self._store, each), is_cancelled, seconds=None)
            if not answer.is_kept:
                return answer
            confirmed = self._has(each, is_cancelled)
        except Cancelled:
            raise
        except Unreachable as error:
            return Answer(each.instance_uid, Outcome.FAILED, str(error))
        except BonescintError as error:
            return Answer(each.instance_uid, Outcome.REFUSED, str(error))
        if confirmed:
            return Answer(each.instance_uid, answer.outcome, answer.text, confirmed=True)
        return Answer(
            each.instance_uid,
            answer.outcome,
            f"{answer.text} A search does not find it yet; look for it in the archive.",
        )

    def _has(self, each: Outgoing, is_cancelled: IsCancelled) -> bool:
        ask = partial(
            self._search,
            self._client.search_for_instances,
            each.study_uid,
            search_filters={"SOPInstanceUID": each.instance_uid},
            limit=2,
        )
        return any(
            Header(answer).text("SOPInstanceUID") == each.instance_uid for answer in self._wait(ask, is_cancelled)
        )

    def _search(self, ask: Callable[..., Any], *arguments: str, **keywords: Any) -> list[Dataset]:
        """The answers to a search; invalid ones are empty."""
        self._session.most_bytes = MOST_JSON_BYTES
        try:
            answers = self._repeatable(partial(ask, *arguments, **keywords))
            if not isinstance(answers, list):
                raise TypeError
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            raise ArchiveError(
                f"{self.setup.name}: its answer is no DICOMweb; check the address of the service."
            ) from error
        return [_dataset(answer) for answer in answers[: MOST_MATCHES + 1]]

    def _instance(self, instance: Instance) -> bytes:
        self._session.most_bytes = MOST_OBJECT_BYTES + 2**20
        url = f"{self._url}/studies/{instance.study_uid}/series/{instance.series_uid}/instances/{instance.uid}"
        accept = {"Accept": f'multipart/related; type="{_DICOM}"; transfer-syntax=*'}

        def ask() -> requests.Response:
            response = self._session.get(url, headers=accept)
            response.raise_for_status()
            return response

        response = self._repeatable(ask)
        try:
            (content,) = multipart.parts(response.headers.get("Content-Type", ""), response.content)
        except ValueError as error:
            raise ArchiveError(
                f"{self.setup.name}: the answer for an image is cut off or no DICOM file; try again."
            ) from error
        return content

    def _store(self, each: Outgoing) -> Answer:
        """Store one object; repeating it is left to the caller, who first asks whether it arrived."""
        self._session.most_bytes = MOST_JSON_BYTES
        content_type, body = multipart.encode([each.content], _DICOM)
        response = self._session.post(
            f"{self._url}/studies/{each.study_uid}",
            data=body,
            headers={"Content-Type": content_type, "Accept": "application/dicom+json"},
        )
        stored, reasons = _store_answer(response.content)
        if reasons:
            return Answer(each.instance_uid, Outcome.REFUSED, f"{self.setup.name}: refused it ({reasons[0]}).")
        if not response.ok:
            raise self._refusal(response.status_code)
        if each.instance_uid not in stored:
            return Answer(
                each.instance_uid, Outcome.REFUSED, f"{self.setup.name}: answered without naming what it stored."
            )
        return Answer(each.instance_uid, Outcome.STORED, f"{self.setup.name}: stored it.")

    def _repeatable(self, ask: Callable[[], T]) -> T:
        """Ask once more if the connection was lost; for requests that change nothing."""
        for last in (False, True):
            began = time.monotonic()
            try:
                return ask()
            except requests.HTTPError as error:
                code = error.response.status_code if error.response is not None else 0
                if last or code != 503:
                    raise self._refusal(code) from error
            except Unreachable:
                # A wait that was in vain is not repeated.
                if last or time.monotonic() - began > 1:
                    raise
            time.sleep(_SECONDS_BEFORE_RETRY)
        raise AssertionError("the last try returns or raises")

    def _refusal(self, code: int) -> ArchiveError:
        kind = Unreachable if code >= 500 else ArchiveError
        return kind(f"{self.setup.name}: {_WORDS.get(code, f'it answered with the error {code}; try again later')}.")

    def _wait(self, work: Callable[[], T], is_cancelled: IsCancelled, seconds: float | None = 0) -> T:
        """Do work in a thread; `seconds` 0 stands for the set-up's deadline, None for the session's alone."""
        host, port = self.setup.endpoint
        patience = self.setup.answer_seconds

        def late() -> ArchiveError:
            return no_answer(self.setup.name, host, port, patience)

        def begin(_tell: Callable[[None], None]) -> T:
            with quiet():
                return work()

        return wait_for(
            begin,
            seconds=patience + 1.5 if seconds is not None else MOST_SECONDS,
            late=late,
            close=self._session.cut,
            is_cancelled=is_cancelled,
            on_event=lambda _event: None,
        )


def _asked(value: str) -> str:
    """A value to match with wildcards for characters that a URL encodes: some archives do not decode them."""
    return re.sub(r"[^A-Za-z0-9._*?-]+", "*", value)


def _dataset(answer: object) -> Dataset:
    """A data set of DICOM JSON; empty if it is invalid."""
    try:
        dataset = Dataset.from_json(answer)  # type: ignore[arg-type]  # whatever the archive sent
        # Values are converted here, where an error still leaves out this answer only.
        return Dataset() if not isinstance(answer, dict) else dataset
    except Exception:  # pydicom may raise any exception
        return Dataset()


def _store_answer(content: bytes) -> tuple[list[str], list[str]]:
    """Identifiers of what was stored, and reasons for what was not, of a STOW-RS answer; none if there is no answer."""
    try:
        answer = parse_json(content)
    except (ValueError, RecursionError):
        return [], []
    header = Header(_dataset(answer[0] if isinstance(answer, list) and answer else answer))
    stored = [item.text("ReferencedSOPInstanceUID") for item in header.items("ReferencedSOPSequence")]
    failed = header.items("FailedSOPSequence")
    reasons = [failure_reason(item.integer("FailureReason") or 0) for item in failed]
    return stored, reasons
