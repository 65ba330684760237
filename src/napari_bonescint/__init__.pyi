from napari_bonescint.api import ScanMeasures as ScanMeasures
from napari_bonescint.api import compare as compare
from napari_bonescint.api import measure as measure
from napari_bonescint.api import open_scan as open_scan
from napari_bonescint.api import segment as segment

__version__: str
