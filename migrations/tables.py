"""Every module that defines tables, imported so that the metadata is whole."""

import staffing.assignments.model
import staffing.maintainers.model
import staffing.onramp.model
import staffing.reports.model
import staffing.work.model  # noqa: F401
from firm.db import Base

METADATA = Base.metadata
