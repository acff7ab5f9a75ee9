"""Invariants of what the kernel keeps."""

from core.registry import checks

checks["an import's counts are those of its rows, and a finished one saw all of them"] = (
    "SELECT i.public_id, i.state, i.rows, i.worked, i.created, i.unchanged, i.failed, r.created, r.unchanged, r.failed"
    " FROM core_import i CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE outcome = 'created') AS created,"
    " count(*) FILTER (WHERE outcome = 'unchanged') AS unchanged, count(*) FILTER (WHERE outcome = 'failed') AS failed,"
    " count(*) FILTER (WHERE (made <> '') <> (outcome = 'created')) AS odd FROM core_importrow"
    " WHERE organization_id = i.organization_id AND source_id = i.id) r"
    " WHERE i.created + i.unchanged + i.failed <> i.worked OR i.worked > i.rows OR r.odd > 0 OR r.failed <> i.failed"
    " OR (i.state IN ('ready', 'done') AND i.worked <> i.rows)"
    " OR (i.state IN ('running', 'stopped', 'done', 'undoing', 'undone')"
    " AND (r.created <> i.created OR r.unchanged <> i.unchanged))"
)
checks["an import under way is there once per kind and content"] = (
    "SELECT kind, sha256, count(*) FROM core_import WHERE state IN ('uploaded', 'checking', 'ready', 'running')"
    " GROUP BY 1, 2 HAVING count(*) > 1"
)
