"""Manages a gateway with the official OpenAI library for Python: each kind of object that the gateway serves.

Reads from the environment: GATEWAY (its base URL) and ADMIN_KEY. Prints one line of JSON for each case:
{"case", "result"}. Each object is also validated against the library's own model of it, so that one that is not
complete fails here.
"""

from __future__ import annotations

import json
import os
from typing import Any, Callable

import openai
from pydantic import BaseModel

client = openai.OpenAI(
    base_url=os.environ["GATEWAY"], admin_api_key=os.environ["ADMIN_KEY"], api_key="none", max_retries=0
)
organization = client.admin.organization


def whole(value: BaseModel) -> Any:
    """The object as JSON, after the library's model has taken it strictly: the library itself takes anything."""
    data = json.loads(value.model_dump_json(by_alias=True))
    type(value).model_validate(data)
    return data


def raised(call: Callable[[], Any]) -> Any:
    try:
        call()
    except openai.APIStatusError as error:
        return {"raises": type(error).__name__, "status": error.status_code, "code": error.code, "param": error.param}
    return None


def projects() -> Any:
    project = organization.projects.create(name="py", extra_body={"time_zone": "Asia/Tokyo", "concurrency": 4})
    renamed = organization.projects.update(project.id, name="py-2")
    listed = [one.id for one in organization.projects.list(limit=1) if one.id == project.id]
    archived = organization.projects.archive(organization.projects.create(name="gone").id)
    return [whole(project), whole(renamed), listed == [project.id], whole(archived)]


def keys() -> Any:
    project = organization.projects.create(name="keys")
    account = organization.projects.service_accounts.create(
        project_id=project.id, name="bot", extra_body={"spend_limit": {"month": 250}}
    )
    assert account.api_key is not None
    key = organization.projects.service_accounts.api_keys.create(account.id, project_id=project.id, name="two")
    changed = organization.projects.api_keys.update(key.id, project_id=project.id, expires_in_seconds=60)
    found = organization.projects.api_keys.retrieve(account.api_key.id, project_id=project.id)
    listed = [one.name for one in organization.projects.api_keys.list(project.id, limit=1)]
    deleted = organization.projects.api_keys.delete(key.id, project_id=project.id)
    removed = organization.projects.service_accounts.delete(account.id, project_id=project.id)
    admin = organization.admin_api_keys.create(name="other", expires_in_seconds=60)
    admins = [whole(one)["name"] for one in organization.admin_api_keys.list()]
    return {
        "account": whole(account),
        "key": whole(key),
        "changed": whole(changed),
        "found": whole(found),
        "listed": listed,
        "deleted": [whole(deleted)["deleted"], whole(removed)["deleted"]],
        "admin": [whole(admin)["object"], admins, organization.admin_api_keys.delete(admin.id).deleted],
    }


def limits() -> Any:
    project = organization.projects.create(name="limits").id
    in_project = organization.projects
    money: Any = {"currency": "USD", "interval": "month", "threshold_amount": 100}
    webhook: Any = {"type": "webhook", "url": "https://hooks.example/x"}
    rate = in_project.rate_limits.update_rate_limit("rl-gpt-4o", project_id=project, max_requests_per_1_minute=9)
    alert = in_project.spend_alerts.create(project, notification_channel=webhook, **money)
    return {
        "rate": whole(rate),
        "rates": [one.model for one in in_project.rate_limits.list_rate_limits(project)],
        "models": whole(in_project.model_permissions.update(project, mode="deny_list", model_ids=["o3"])),
        "limit": whole(in_project.spend_limit.update(project, **money)),
        "of_all": [whole(organization.spend_limit.update(**money)), organization.spend_limit.delete().deleted],
        "alert": json.loads(alert.model_dump_json(by_alias=True)),
        "alerts": [one.id == alert.id for one in in_project.spend_alerts.list(project)],
    }


def usage() -> Any:
    kinds = ["completions", "embeddings", "images", "moderations", "audio_speeches", "audio_transcriptions"]
    kinds += ["vector_stores", "code_interpreter_sessions", "file_search_calls", "web_search_calls", "costs"]
    pages = {name: getattr(organization.usage, name)(start_time=1767571200, end_time=1768003200) for name in kinds}
    return {name: [len(whole(page)["data"]), page.has_more] for name, page in pages.items()}


def audit() -> Any:
    project = organization.projects.create(name="audited").id
    events = organization.audit_logs.list(
        project_ids=[project], event_types=["project.created"], effective_at={"gte": 0}, limit=1
    )
    return [whole(event) for event in events]


def errors() -> Any:
    return [
        raised(lambda: organization.projects.create(name="x", extra_body={"colour": "red"})),
        raised(lambda: organization.projects.retrieve("proj_nobody")),
        raised(lambda: organization.users.list()),
        raised(lambda: client.with_options(admin_api_key="wrong").admin.organization.projects.list()),
    ]


for case in (projects, keys, limits, usage, audit, errors):
    print(json.dumps({"case": case.__name__, "result": case()}))
