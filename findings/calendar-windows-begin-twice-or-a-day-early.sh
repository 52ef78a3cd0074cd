#!/usr/bin/env bash
# dayjs 1.11.23 and luxon 3.7.2 (npm), pendulum 3.3.0 (PyPI): where a day or a month begins and ends in a zone of the tz database, as a daily or monthly limit
# needs it.
#   dayjs with its timezone plugin: the month that follows one with a change of the clock begins an hour off. startOf('month').add(1, 'month') in New
#     York's November is 23:00 of its last day, so the hour behind it is in no month; March ends at 1:00 of April, an hour that is in two.
#   luxon and pendulum where clocks go back at midnight's hour (Havana, 3 November 2024: 0:00 to 1:00 is there twice): what startOf('day') answers
#     depends on which of the two hours it is asked in: one day has two beginnings. Who counts by that instant starts anew in the middle.
#   pendulum where clocks go forward at midnight (Cairo, 26 April 2024; Santiago, 8 September): start_of("day") is 23:00 of the day BEFORE, and asked
#     again of that, the day before's. (pendulum.datetime(2024, 4, 26) goes forward instead, to 1:00.)
# The dates are of the past, where the tz database does not change any more.
# Seen (November 2026, Node 20, Python 3.11): the lines below; temporal-polyfill 1.0.8, @date-fns/tz 1.5.0 and arrow 1.4.0 agree with each other.
# What it means for a gateway: windows in a caller's zone are best named by their local date ("2026-11") and not by an instant; else one day a year a limit
# ends early or a budget is there twice.
# Needs bash, npm, Node 20 or newer, Python 3.10 or newer with venv. Takes about 20 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false PYTHONTZPATH=
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 180 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error dayjs@1.11.23 luxon@3.7.2 temporal-polyfill@1.0.8 date-fns@4.4.0 @date-fns/tz@1.5.0 >/dev/null
python3 -m venv venv
timeout 180 venv/bin/pip install --quiet --disable-pip-version-check --prefer-binary pendulum==3.3.0 arrow==1.4.0 tzdata

cat >windows.mjs <<'JS'
import { TZDate } from '@date-fns/tz'
import { addMonths, startOfDay, startOfMonth } from 'date-fns'
import dayjs from 'dayjs'
import timezone from 'dayjs/plugin/timezone.js'
import utc from 'dayjs/plugin/utc.js'
import { DateTime } from 'luxon'
import { Temporal } from 'temporal-polyfill'
dayjs.extend(utc)
dayjs.extend(timezone)
const line = (what, milliseconds) => console.log(what, Object.entries(milliseconds).map(([by, at]) => `${by} ${new Date(at).toISOString().slice(0, 16)}Z`).join(' | '))
for (const [zone, at] of [['America/New_York', '2024-11-15T12:00:00Z'], ['America/New_York', '2024-03-15T12:00:00Z'], ['America/New_York', '2024-06-15T12:00:00Z']])
  line(`month's end, ${zone}, ${at.slice(0, 7)}:`, {
    dayjs: dayjs(at).tz(zone).startOf('month').add(1, 'month').valueOf(),
    luxon: DateTime.fromISO(at, { zone }).startOf('month').plus({ months: 1 }).toMillis(),
    temporal: Temporal.Instant.from(at).toZonedDateTimeISO(zone).with({ day: 1 }).startOfDay().add({ months: 1 }).epochMilliseconds,
    'date-fns': +addMonths(startOfMonth(new TZDate(at, zone)), 1),
  })
for (const at of ['2024-11-03T04:30:00Z', '2024-11-03T05:30:00Z'])
  line(`day's beginning, America/Havana, at ${at.slice(0, 16)}Z:`, {
    luxon: DateTime.fromISO(at, { zone: 'America/Havana' }).startOf('day').toMillis(),
    temporal: Temporal.Instant.from(at).toZonedDateTimeISO('America/Havana').startOfDay().epochMilliseconds,
    'date-fns': +startOfDay(new TZDate(at, 'America/Havana')),
  })
JS
cat >windows.py <<'PY'
from datetime import datetime

import arrow
import pendulum

for zone, at in [
    ("America/Havana", "2024-11-03T04:30:00+00:00"),
    ("America/Havana", "2024-11-03T05:30:00+00:00"),
    ("Africa/Cairo", "2024-04-26T12:00:00+00:00"),
    ("America/Santiago", "2024-09-08T12:00:00+00:00"),
]:
    now = pendulum.instance(datetime.fromisoformat(at)).in_timezone(zone)
    begins, by_arrow = now.start_of("day"), arrow.get(now).floor("day")
    print(f"day's beginning, {zone}, at {at[:16]}Z: pendulum {begins.isoformat()}, of that {begins.start_of('day').isoformat()} | arrow {by_arrow.isoformat()}")
print("pendulum.datetime(2024, 4, 26) in Cairo:", pendulum.datetime(2024, 4, 26, tz="Africa/Cairo").isoformat())
PY

cat >expected <<'TXT'
month's end, America/New_York, 2024-11: dayjs 2024-12-01T04:00Z | luxon 2024-12-01T05:00Z | temporal 2024-12-01T05:00Z | date-fns 2024-12-01T05:00Z
month's end, America/New_York, 2024-03: dayjs 2024-04-01T05:00Z | luxon 2024-04-01T04:00Z | temporal 2024-04-01T04:00Z | date-fns 2024-04-01T04:00Z
month's end, America/New_York, 2024-06: dayjs 2024-07-01T04:00Z | luxon 2024-07-01T04:00Z | temporal 2024-07-01T04:00Z | date-fns 2024-07-01T04:00Z
day's beginning, America/Havana, at 2024-11-03T04:30Z: luxon 2024-11-03T04:00Z | temporal 2024-11-03T04:00Z | date-fns 2024-11-03T04:00Z
day's beginning, America/Havana, at 2024-11-03T05:30Z: luxon 2024-11-03T05:00Z | temporal 2024-11-03T04:00Z | date-fns 2024-11-03T04:00Z
day's beginning, America/Havana, at 2024-11-03T04:30Z: pendulum 2024-11-03T00:00:00-04:00, of that 2024-11-03T00:00:00-04:00 | arrow 2024-11-03T00:00:00-04:00
day's beginning, America/Havana, at 2024-11-03T05:30Z: pendulum 2024-11-03T00:00:00-05:00, of that 2024-11-03T00:00:00-05:00 | arrow 2024-11-03T00:00:00-04:00
day's beginning, Africa/Cairo, at 2024-04-26T12:00Z: pendulum 2024-04-25T23:00:00+02:00, of that 2024-04-25T00:00:00+02:00 | arrow 2024-04-26T00:00:00+02:00
day's beginning, America/Santiago, at 2024-09-08T12:00Z: pendulum 2024-09-07T23:00:00-04:00, of that 2024-09-07T00:00:00-04:00 | arrow 2024-09-08T00:00:00-04:00
pendulum.datetime(2024, 4, 26) in Cairo: 2024-04-26T01:00:00+03:00
TXT
{ timeout 180 node windows.mjs; timeout 180 venv/bin/python windows.py; } >seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'
