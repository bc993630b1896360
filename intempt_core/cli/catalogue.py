"""The product catalogue that a call's events are checked against: of a file, or the one loaded for the target."""

from pathlib import Path

from intempt_core.cli.output import print_message
from intempt_core.cli.saved_documents import open_saved_documents
from intempt_core.contract import format_count
from intempt_core.errors import CatalogueUnavailable, ReadError
from intempt_core.settings import Settings
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import ProductCatalogue, build_catalogue, read_catalogue_file


def load_catalogue(
    file: Path | None, id_column: str | None, target: Target | None, settings: Settings
) -> ProductCatalogue | None:
    """The catalogue in a file, else the one that the console has loaded for a target, else none.

    One that the console has and cannot read checks nothing, as on its screens, and that is printed.
    Raises :class:`ReadError`: the file is no catalogue, or it is not known which column holds the product id.
    """
    if file is not None:
        return _read_catalogue(file, id_column)
    if target is None:
        return None
    try:
        with open_saved_documents(settings) as documents:
            found = documents.catalogues.get(derive_target_key(target))
    except CatalogueUnavailable as error:
        print_message(f"{error} Products are not checked.")
        return None
    if found is not None:
        print_message(
            f"Products are checked against the catalogue of {target.title}: {found.name},"
            f" {format_count(len(found), 'product')}."
        )
    return found


def _read_catalogue(file: Path, id_column: str | None) -> ProductCatalogue:
    try:
        listing = read_catalogue_file(file, name=file.name)
        column = id_column or listing.id_column
        if column not in listing.header:
            raise ReadError(
                f"{f'There is no column “{column}”' if column else 'No column is called productId'}. Say which column"
                f" holds the product id, perhaps --catalogue-column “{listing.likely_id_column}”."
            )
        return build_catalogue(listing, column)
    except OSError as error:
        raise ReadError(f"{file} cannot be read: {error.strerror}.") from None
    except ReadError as error:
        raise ReadError(f"The catalogue {file.name} cannot be used: {error}") from None
