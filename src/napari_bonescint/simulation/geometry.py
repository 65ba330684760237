"""The bones of the myo-sim skeleton as weighted points, each bone in the frame of its MuJoCo body.

The meshes are surfaces. Each is filled on a fine voxel grid and stored as points about 2 mm apart, with their depth
below the bone's surface: so cortical bone and spongiosa can differ, and posing a skeleton is a matrix product. Rules
measured by hand cut two meshes: the rib cage (ribs, sternum, costal cartilage, and a logo, which is dropped) and the
skull (vault and brain).

Source: myo-sim (MyoFullBody), Apache-2.0.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.csgraph import connected_components

from napari_bonescint.anatomy import CODES
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import write_bytes_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

GEOMETRY_VERSION = 2
"""Version in files of points; it increases whenever `build_points` changes its result."""

_SAMPLES_PER_CELL_FACE = 18
_VAULT_MM = 7.0
_WIDTH = {"cervical_spine": 1.3, "thoracic_spine": 1.15, "lumbar_spine": 1.2, "sacrum": 1.08, "scapula": 0.87}
_THICKER = (("clavicle", 1.1), ("fibula", 1.5), ("tibia", 1.05))
_SACRUM_LEANS_BACK_RAD = 0.45
_FIBULA_OUTWARDS_MM = 4.0
_CLAVICLE_LONGER = 1.08

_REGION_OF_MESH: tuple[tuple[str, str], ...] = (
    # The first part that a mesh's name contains decides.
    ("ribcage", "ribs"),
    ("sacrum", "sacrum"),
    ("lumbar", "lumbar_spine"),
    ("thoracic", "thoracic_spine"),
    ("cervical", "cervical_spine"),
    ("hat_", "skull"),
    ("clavicle", "clavicle"),
    ("scapula", "scapula"),
    ("humerus", "humerus"),
    ("ulna", "forearm"),
    ("radius", "forearm"),
    ("pelvis", "pelvis"),
    ("femur", "femur"),
    ("tibia", "lower_leg"),
    ("fibula", "lower_leg"),
    ("patella", "lower_leg"),
    ("talus", "foot"),
    ("foot", "foot"),
    ("", "hand"),
)


@dataclass(frozen=True)
class BonePoints:
    """All bones as points.

    Attributes
    ----------
    position : ndarray of float32, shape (n, 3)
        mm, in the frame of the point's MuJoCo body.
    volume : ndarray of float32, shape (n,)
        Bone volume of a point, mm^3.
    depth : ndarray of float32, shape (n,)
        Distance to the bone's surface, mm.
    along : ndarray of float32, shape (n,)
        Position along the bone's longest axis, 0 to 1.
    body : ndarray of int16, shape (n,)
        MuJoCo body.
    region : ndarray of uint8, shape (n,)
        Region code.
    piece : ndarray of int16, shape (n,)
        Index into `pieces`, the names of separate bones: each rib, vertebra and phalanx is one.
    """

    position: NDArray[np.float32]
    volume: NDArray[np.float32]
    depth: NDArray[np.float32]
    along: NDArray[np.float32]
    body: NDArray[np.int16]
    region: NDArray[np.uint8]
    piece: NDArray[np.int16]
    pieces: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Write the points to a compressed NumPy archive, whole or not at all."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, version=GEOMETRY_VERSION, pieces=np.array(self.pieces), **arrays)
        write_bytes_atomically(path, buffer.getvalue())

    @staticmethod
    def is_current(path: Path) -> bool:
        """True if a file exists that this version of `build_points` wrote."""
        if not path.exists():
            return False
        with np.load(path, allow_pickle=False) as file:
            return "version" in file and int(file["version"]) == GEOMETRY_VERSION

    @classmethod
    def load(cls, path: Path) -> BonePoints:
        """Read the points that `save` wrote; a file of another version of `build_points` raises `BonescintError`."""
        if not cls.is_current(path):
            raise BonescintError(f"{path}: made by an older simulator; delete the file, and simulate again.")
        with np.load(path, allow_pickle=False) as file:
            return cls(**{name: file[name] for name in _ARRAYS}, pieces=tuple(str(name) for name in file["pieces"]))


_ARRAYS = ("position", "volume", "depth", "along", "body", "region", "piece")


def load_model() -> Any:
    """The MuJoCo model of the whole body, as myo-sim builds it."""
    import mujoco
    import myo_sim

    # MuJoCo warns about names without a prefix: on the terminal, in a log file in the working folder and as a warning.
    handler = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(lambda _text: None)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Attaching a spec with an empty prefix")
            return myo_sim.load("myofullbody")[0]
    finally:
        mujoco.set_mju_user_warning(handler)


def build_points(model: Any, fine_mm: float = 1.0) -> BonePoints:
    """Fill every bone mesh of a MuJoCo model (of `load_model`); takes half a minute.

    `fine_mm` is the size of the filled voxels; points are about twice as far apart.
    """
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _ARRAYS}
    pieces: list[str] = []
    for name, region, body, vertices, faces in _bones(model):
        position, volume, depth = _fill(vertices, faces, fine_mm)
        piece = np.full(len(position), len(pieces), np.int16)
        pieces.append(name)
        if name == "hat_skull":
            position, volume, depth, face = _hollow_skull(position, volume, depth)
            piece = np.where(face, len(pieces), len(pieces) - 1).astype(np.int16)
            pieces.append("face")
        volume = volume * _share_of_bone(region, position)
        position, volume = _reshaped(name, region, position, volume)
        if name == "sternum":
            bone = _is_sternum(position)
            position, volume, depth, piece = position[bone], volume[bone], depth[bone], piece[bone]
        axis = position[:, np.ptp(position, axis=0).argmax()]
        columns["position"].append(position.astype(np.float32))
        columns["volume"].append(volume.astype(np.float32))
        columns["depth"].append(depth.astype(np.float32))
        columns["along"].append(((axis - axis.min()) / max(float(np.ptp(axis)), 1e-6)).astype(np.float32))
        columns["body"].append(np.full(len(position), body, np.int16))
        columns["region"].append(np.full(len(position), CODES[region], np.uint8))
        columns["piece"].append(piece)
    return BonePoints(**{name: np.concatenate(arrays) for name, arrays in columns.items()}, pieces=tuple(pieces))


def _bones(model: Any) -> Iterator[tuple[str, str, int, NDArray[np.float64], NDArray[np.int32]]]:
    """Name, region, body, vertices in the body's frame (mm) and faces of every separate bone."""
    import mujoco

    for geom in range(model.ngeom):
        mesh = model.geom_dataid[geom]
        if model.geom_type[geom] != mujoco.mjtGeom.mjGEOM_MESH or mesh < 0:
            continue
        name = mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_GEOM, geom)
        mesh_name = mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_MESH, mesh)
        region = next(region for part, region in _REGION_OF_MESH if part in mesh_name)
        start, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        first, faces = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, model.geom_quat[geom])
        vertices = 1000 * (model.mesh_vert[start : start + count] @ rotation.reshape(3, 3).T + model.geom_pos[geom])
        triangles = model.mesh_face[first : first + faces]
        body = int(model.geom_bodyid[geom])
        if region == "ribs":
            for piece, part_region, part in _cut_rib_cage(vertices, triangles):
                yield piece, part_region, body, vertices, part
        else:
            yield name, region, body, vertices, triangles


def _cut_rib_cage(
    vertices: NDArray[np.float64], faces: NDArray[np.int32]
) -> Iterator[tuple[str, str, NDArray[np.int32]]]:
    """Name, region and faces of ribs and sternum in the rib cage mesh. Axes: x forward, y up, z to the right."""
    edges = np.vstack([faces[:, :2], faces[:, 1:]])
    graph = sparse.coo_matrix((np.ones(len(edges)), edges.T), shape=(len(vertices),) * 2)
    _, component = connected_components(graph, directed=False)
    sizes = np.bincount(component)
    ribs = 0
    for index in np.flatnonzero(sizes >= 50):
        part = faces[component[faces[:, 0]] == index]
        if sizes[index] <= 100:
            ribs += 1
            yield f"rib_{ribs}", "ribs", part
        elif sizes[index] < 2000:
            yield "sternum", "sternum", part


def _fill(
    vertices: NDArray[np.float64], faces: NDArray[np.int32], fine_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Points inside a surface: position (n, 3) in mm, volume (n,) in mm^3 and depth (n,) in mm."""
    rng = np.random.default_rng(0)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    chosen = rng.choice(len(faces), int(area.sum() * _SAMPLES_PER_CELL_FACE / fine_mm**2), p=area / area.sum())
    u, v = rng.random((2, len(chosen), 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    surface = a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen]
    low = surface.min(axis=0) - 2 * fine_mm
    cells = ((surface - low) / fine_mm).astype(np.int64)
    # The number of cells is even, since pairs of cells make a point; an empty border connects the outside.
    shape = tuple((cells.max(axis=0) + 4) // 2 * 2)
    shell = np.zeros(shape, bool)
    shell[tuple(cells.T)] = True
    solid = _interior(shell)
    depth = ndimage.distance_transform_edt(solid) * fine_mm
    # The surface runs through the middle of its cells, so half of each is bone.
    share = np.where(shell, 0.5, 1.0) * solid
    blocks = share.reshape(shape[0] // 2, 2, shape[1] // 2, 2, shape[2] // 2, 2).sum(axis=(1, 3, 5))
    inside = np.argwhere(blocks > 0)
    # Random offsets avoid moire with the camera's pixels.
    position = low + (inside + rng.random(inside.shape)) * 2 * fine_mm
    centre_depth = depth[::2, ::2, ::2][tuple(inside.T)]
    return position, blocks[tuple(inside.T)] * fine_mm**3, centre_depth


def _interior(shell: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill a surface that may have openings, such as the foramen magnum of the skull or an open end.

    A cell is inside if the surface encloses it in at least two of the three families of planes; a ring, such as that of
    the obturator foramen, encloses it in one only.
    """
    votes = _filled(shell).astype(np.uint8) * 2
    for axis in range(3):
        votes += _filled(shell, across=axis)
    closed = ndimage.binary_closing(np.pad(votes >= 2, 4), iterations=3)
    return _filled(closed)[4:-4, 4:-4, 4:-4]


def _filled(solid: NDArray[np.bool_], across: int | None = None) -> NDArray[np.bool_]:
    """Fill the holes of a solid, or of each of its planes across an axis; as `ndimage.binary_fill_holes`, but faster.

    That goes inwards from the border cell by cell, and would be called for each plane; labels take one pass.
    """
    structure = ndimage.generate_binary_structure(3, 1)
    if across is not None:
        np.moveaxis(structure, across, 0)[[0, 2]] = False
    empty, count = ndimage.label(~solid, structure)
    is_outside = np.zeros(count + 1, bool)
    for axis in {0, 1, 2} - {across}:
        is_outside[np.moveaxis(empty, axis, 0)[[0, -1]]] = True
    is_outside[0] = False  # the solid
    return ~is_outside[empty]


def _reshaped(
    name: str, region: str, position: NDArray[np.float64], volume: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Widen slender bones of the model: position (n, 3) and volume (n,). Axes: x forward, y up, z to the right.

    The model's vertebrae have nearly no transverse processes, the bones of the lower leg are thin rods close together,
    and the sacrum is too upright. The factors give the sizes that `tests/simulation/test_sizes.py` states.
    """
    if region in _WIDTH:
        position, volume = position * (1, 1, _WIDTH[region]), volume * _WIDTH[region]
    if region == "sacrum":
        return _leaned_back(position, _SACRUM_LEANS_BACK_RAD), volume
    if region == "clavicle":
        # It grows towards the sternum; the shoulder stays in place.
        acromial = position[np.abs(position[:, 2]).argmax(), 2]
        position = position * (1, 1, _CLAVICLE_LONGER) - (0, 0, acromial * (_CLAVICLE_LONGER - 1))
        volume = volume * _CLAVICLE_LONGER
    if "fibula" in name:
        outwards = np.sign(position[:, 2].mean()) * _FIBULA_OUTWARDS_MM
        position = np.add(position, (0, 0, outwards))
    rod = next((factor for part, factor in _THICKER if part in name), None)
    if rod is None:
        return position, volume
    axis = int(np.ptp(position, axis=0).argmax())
    order = np.argsort(position[:, axis])
    centre = np.empty_like(position)
    centre[order] = ndimage.uniform_filter1d(position[order], len(order) // 12, axis=0, mode="nearest")
    centre[:, axis] = position[:, axis]
    return centre + (position - centre) * rod, volume * rod**2


def _leaned_back(position: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Points (n, 3) turned about the middle of their upper end, so that the lower end moves back by an angle in rad."""
    upper: NDArray[np.float64] = position[position[:, 1] > np.quantile(position[:, 1], 0.9)].mean(axis=0)
    forward, up, right = (position - upper).T
    turned = [forward * np.cos(angle) + up * np.sin(angle), up * np.cos(angle) - forward * np.sin(angle), right]
    return np.stack(turned, axis=1) + upper


def _is_sternum(position: NDArray[np.float64]) -> NDArray[np.bool_]:
    """True for points (n, 3) of the rib cage's front that are sternum, not cartilage. Axes: y up, z to the right."""
    height = (position[:, 1] - position[:, 1].min()) / np.ptp(position[:, 1])
    # From the tip of the xiphoid process over the body, wider below than above, to the manubrium.
    half_width = np.interp(height, [0.48, 0.52, 0.56, 0.64, 0.80, 0.84, 0.94, 1.0], [4, 7, 15, 17, 13, 19, 28, 26])
    middle = np.median(position[:, 2])
    return np.asarray((np.abs(position[:, 2] - middle) < half_width) & (height > 0.48))


def _share_of_bone(region: str, position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ratio of a bone's real volume to that of its filled mesh, for points (n, 3). Axes: y up.

    The ribs are flat bands with half the thickness of ribs, and the blade of the scapula is too thin. The sacrum is a
    solid wedge; the real bone has foramina and a canal, and thins towards the coccyx.
    """
    share = np.ones(len(position))
    if region == "ribs":
        share *= 1.8
    elif region == "scapula":
        share *= 1.6
    elif region == "sacrum":
        height = (position[:, 1] - position[:, 1].min()) / np.ptp(position[:, 1])
        share *= 0.2 + 0.6 * height
    return share


def _hollow_skull(
    position: NDArray[np.float64], volume: NDArray[np.float64], depth: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Remove the brain from a filled skull, thin the air-filled face, and mark the points of the face.

    Axes: x forward, y up. The face's points come last, as vault and face are two pieces.
    """
    face = (position[:, 0] > 35) & (position[:, 1] < 65)
    brain = (depth > _VAULT_MM) & ~face & (position[:, 1] > 20)
    volume = np.where(face & (depth > _VAULT_MM), 0.35 * volume, volume)
    kept = np.concatenate([np.flatnonzero(~brain & ~face), np.flatnonzero(face)])
    return position[kept], volume[kept], depth[kept], face[kept]
