"""Manages a gateway with the official OpenAI library for Python: each kind of object that the gateway serves.

Reads from the environment: GATEWAY (its base URL) and ADMIN_KEY. Prints one line of JSON for each case:
{"case", "result"}. Each object is also validated against the library's own model of it, so that one that is not
complete fails here.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, Callable

import openai
from pydantic import BaseModel

client = openai.OpenAI(
    base_url=os.environ["GATEWAY"], admin_api_key=os.environ["ADMIN_KEY"], api_key="none", max_retries=0
)
organization = client.admin.organization


def whole(value: BaseModel) -> Any:
    """The object as JSON, after the library's model has taken it strictly: the library itself takes anything."""
    text = value.model_dump_json(by_alias=True)
    type(value).model_validate_json(text, strict=True)
    return json.loads(text)


def raised(call: Callable[[], Any]) -> Any:
    try:
        call()
    except openai.APIStatusError as error:
        return {"raises": type(error).__name__, "status": error.status_code, "code": error.code, "param": error.param}
    return None


def projects() -> Any:
    project = organization.projects.create(name="py", extra_body={"time_zone": "Asia/Tokyo", "concurrency": 4})
    renamed = organization.projects.update(project.id, name="py-2")
    listed = [one.id for one in organization.projects.list(limit=1) if whole(one) and one.id == project.id]
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
    listed = [whole(one)["name"] for one in organization.projects.api_keys.list(project.id, limit=1)]
    accounts = [whole(one)["name"] for one in organization.projects.service_accounts.list(project.id)]
    deleted = organization.projects.api_keys.delete(key.id, project_id=project.id)
    removed = organization.projects.service_accounts.delete(account.id, project_id=project.id)
    admin = organization.admin_api_keys.create(name="other", expires_in_seconds=60)
    admins = [whole(one)["name"] for one in organization.admin_api_keys.list()]
    return {
        "account": whole(account),
        "key": whole(key),
        "changed": whole(changed),
        "found": whole(found),
        "listed": [listed, accounts],
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
        "rates": [whole(one)["model"] for one in in_project.rate_limits.list_rate_limits(project)],
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


def booked() -> Any:
    project = organization.projects.create(name="booked").id
    key = organization.projects.service_accounts.create(project_id=project, name="caller").api_key
    assert key is not None
    client.with_options(api_key=key.value).chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "hi"}]
    )
    asked: Any = {"start_time": int(time.time()) // 86400 * 86400, "project_ids": [project]}
    ended = time.monotonic() + 20
    while not organization.usage.completions(**asked).data[-1].results:
        if time.monotonic() > ended:
            raise TimeoutError("the call is not in the books")
        time.sleep(0.05)
    groups: Any = ["project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source"]
    for name in groups:
        whole(organization.usage.completions(**asked, group_by=[name]))
    result = whole(organization.usage.completions(**asked, group_by=groups))["data"][-1]["results"]
    lines: Any = ["project_id", "line_item", "api_key_id"]
    costs = whole(organization.usage.costs(**asked, group_by=lines))["data"][-1]["results"]
    return [[one["input_tokens"], one["model"], one["api_key_id"] == key.id] for one in result] + [
        [one["amount"], one["line_item"], one["project_id"] == project] for one in costs
    ]


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


for case in (projects, keys, limits, usage, booked, audit, errors):
    print(json.dumps({"case": case.__name__, "result": case()}))
