"""`/v1`: the record of every lesion."""

from fastapi import APIRouter, Depends

from lesionlens.api.access import require_access
from lesionlens.api.routes.tracker import analyses, comparisons, lesions, people, photos, status, visits

__all__ = ["router"]

# The prefix stands in each part: the log and the metrics name a route by the path that it was declared with.
router = APIRouter()
router.include_router(status.router)
for _part in (people, lesions, visits, photos, analyses, comparisons):
    router.include_router(_part.router, dependencies=[Depends(require_access)])
