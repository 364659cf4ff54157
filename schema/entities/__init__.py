"""One declaration per kind; importing this package fills the registry, things before what refers to them."""

from schema.entities import organisation as organisation  # isort: split
from schema.entities import part as part  # isort: split
from schema.entities import bill_of_materials as bill_of_materials  # isort: split
from schema.entities import failure as failure  # isort: split
from schema.entities import lot as lot  # isort: split
from schema.entities import life as life  # isort: split
from schema.entities import quality as quality  # isort: split
from schema.entities import provenance as provenance  # isort: split
from schema.entities import agreement as agreement  # isort: split
