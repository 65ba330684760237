import pytest

from napari_bonescint.networks.zoo import ARCHITECTURES, UnknownArchitectureError, build_network, count_parameters

# Published parameter counts; ELU adds none, batch normalisation two for each channel.
PARAMETERS = {
    "fdn-5": 259_137,
    "fdn-11": 295_033,
    "fdn-11e": 295_033,
    "fdn-11be": 295_033 + 2 * 2 * (8 + 16 + 32 + 64 + 128),
    "fdn-13": 488_793,
    "fdn-16": 1_964_249,
    "fdn-16e": 1_964_249,
    "fdn-16be": 1_964_249 + 2 * (2 * (8 + 16) + 3 * (32 + 64 + 128 + 256)),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parameter_counts_are_the_published_ones(name: str) -> None:
    assert count_parameters(build_network(name)) == PARAMETERS[name]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownArchitectureError, match=r"no network 'fdn-12'.*fdn-13, fdn-16"):
        build_network("fdn-12")
