#!/bin/sh
# Deploys whiskjack with the wsk command: action, trigger with an alarm, and rule. May be repeated at any time.
set -eu

usage() {
    cat <<'TEXT'
usage: wsk.sh [OPTIONS]

  --zip FILE      the action's code, default ../dist/whiskjack-action.zip beside this script
  --config FILE   the action's parameters, a JSON object; default config.json. Such as
                  {"actions": ["*"], "logstash": {"host": "logs.example.com", "port": 5044}, "events": {"shape": "ecs"}}
  --name NAME     name of the action, default whiskjack; trigger and rule are NAME-alarm and NAME-rule
  --cron CRON     when it runs, default "* * * * *", every minute: minute, hour, day, month, weekday; months by name
  --timeout MS    longest run in milliseconds, default 60000; not longer than the time between two alarms
  --memory MB     memory of the action, default 256
  --kind KIND     runtime of the platform that speaks ActionLoop, default rust:1.34
  --native        the stock image for executables instead
  --docker IMAGE  an image of your own instead
  --insecure      accept any certificate of the API host

The API host and key are those of wsk (`wsk property set`). Another wsk than that in PATH may be named by WSK.
TEXT
}

fail() {
    echo "wsk.sh: $1" >&2
    exit "${2:-1}"
}

zip="$(dirname "$0")/../dist/whiskjack-action.zip"
config=config.json
name=whiskjack
cron='* * * * *'
timeout=60000
memory=256
runtime=--kind
image=rust:1.34
insecure=
chosen=

choose() {
    [ -z "$chosen" ] || fail "--kind, --native and --docker exclude each other; give one of them" 2
    chosen=yes
    runtime=$1
    image=$2
}

while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage; exit 0 ;;
        --native) choose --native ''; shift; continue ;;
        --insecure) insecure=-i; shift; continue ;;
        --zip | --config | --name | --cron | --timeout | --memory | --kind | --docker) ;;
        *) usage >&2; fail "$1: no such option" 2 ;;
    esac
    [ $# -ge 2 ] || fail "$1: a value is missing" 2
    case $1 in
        --zip) zip=$2 ;;
        --config) config=$2 ;;
        --name) name=$2 ;;
        --cron) cron=$2 ;;
        --timeout) timeout=$2 ;;
        --memory) memory=$2 ;;
        --kind | --docker) choose "$1" "$2" ;;
    esac
    shift 2
done

for number in "$timeout" "$memory"; do
    case $number in
        '' | *[!0-9]*) fail "$number: --timeout and --memory want whole numbers, milliseconds and megabytes" 2 ;;
    esac
done

# The shortest time between two alarms of a cron pattern, in seconds; or the fault of the pattern. The alarms package itself takes nearly
# every pattern, and one that is out of range then never fires.
period() {
    awk '
        function wrong(text) { print text; bad = 1; exit 1 }

        # The number that a value stands for.
        function number(text, what, low, high, names,    at, count, list, i) {
            count = split(names, list, " ")
            for (i = 1; i <= count; i++) if (toupper(text) == list[i]) return low + i - 1
            if (text !~ /^[0-9]+$/ || what == "month" || text + 0 < low || text + 0 > high)
                wrong("`" text "` is not " (what == "hour" ? "an " : "a ") what "; give " (what == "month" ? "JAN to DEC" : low " to " high) ", `*`, a-b, */n, or a list of these")
            return text + 0
        }

        # Marks the values of a field in `set`.
        function values(field, what, low, high, names, set,    parts, count, i, part, step, ends, first, last) {
            count = split(field, parts, ",")
            for (i = 1; i <= count; i++) {
                part = parts[i]
                step = 1
                if (part ~ /\//) {
                    step = part
                    sub(/^[^\/]*\//, "", step)
                    sub(/\/.*/, "", part)
                    if (step !~ /^[0-9]+$/ || step < 1 || step > high - low)
                        wrong("`" field "`: a step is a number from 1 to " high - low)
                    if (part !~ /[*-]/)
                        wrong("`" field "`: alarms packages differ in what that is; give `" part "-" high "/" step "`")
                }
                if (part == "*") {
                    first = low
                    last = high
                } else if (part ~ /-/) {
                    if (split(part, ends, "-") != 2) wrong("`" field "` is not a " what)
                    first = number(ends[1], what, low, high, names)
                    last = number(ends[2], what, low, high, names)
                    if (first > last) wrong("`" field "`: the range ends before it begins")
                } else {
                    first = last = number(part, what, low, high, names)
                }
                for (; first <= last; first += step) set[first] = 1
            }
            if (count == 0) wrong("there is an empty field")
        }

        BEGIN {
            count = split(ARGV[1], fields, " ")
            if (count != 5 && count != 6)
                wrong("it has " count " fields; give five (minute, hour, day, month, weekday), or six with leading seconds")
            at = count - 5
            values(at ? fields[1] : "0", "second", 0, 59, "", seconds)
            values(fields[at + 1], "minute", 0, 59, "", minutes)
            values(fields[at + 2], "hour", 0, 23, "", hours)
            values(fields[at + 3], "day", 1, 31, "", days)
            values(fields[at + 4], "month", 0, 11, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", months)
            values(fields[at + 5], "weekday", 0, 6, "SUN MON TUE WED THU FRI SAT", weekdays)
            gap = day = 86400
            before = -1
            for (h = 0; h < 24; h++) if (h in hours)
                for (m = 0; m < 60; m++) if (m in minutes)
                    for (s = 0; s < 60; s++) if (s in seconds) {
                        time = (h * 60 + m) * 60 + s
                        if (before < 0) begin = time
                        else if (time - before < gap) gap = time - before
                        before = time
                    }
            if (begin + day - before < gap) gap = begin + day - before
            print gap
        }
    ' "$1"
}

# One space between two fields, so that the alarms package shows them so again.
set -f
# shellcheck disable=SC2086
set -- $cron
set +f
cron=$*

seconds=$(period "$cron") || fail "--cron \"$cron\": $seconds" 2
[ "$seconds" -ge 60 ] || fail "--cron \"$cron\": it fires every $seconds s; runs start once a minute at most" 2
[ $((seconds * 1000)) -ge "$timeout" ] || fail "--timeout $timeout: runs would overlap, as --cron \"$cron\" fires every $seconds s; \
give $((seconds * 1000)) at most, or a rarer --cron" 2

wsk=${WSK:-wsk}
command -v "$wsk" > /dev/null 2>&1 || fail "$wsk is not there; install the OpenWhisk command line, or name it with WSK"
[ -r "$zip" ] || fail "--zip $zip: cannot be read; make it with \`cargo xtask dist\`"
[ -r "$config" ] || fail "--config $config: cannot be read; it holds the parameters, see docs/configuration.md"

# $insecure and $image are one word or none; --native takes no image.
ow() {
    # shellcheck disable=SC2086
    "$wsk" $insecure "$@" || fail "\`wsk $1 $2\` failed; when that is mended, the same command goes on from here"
}

# Without this annotation OpenWhisk hands no key to the action.
# shellcheck disable=SC2086
ow action update "$name" "$zip" "$runtime" $image --annotation provide-api-key true --param-file "$config" \
    --timeout "$timeout" --memory "$memory" --logsize 10

trigger=$name-alarm
# Whether the alarms package knows the trigger. wsk says "ok" for a trigger without a feed, and for a trigger that its feed does not know.
alarm() {
    # shellcheck disable=SC2086
    "$wsk" $insecure trigger get "$trigger" 2> /dev/null | grep -F "$1" > /dev/null
}

# shellcheck disable=SC2086
if alarm '"cron": "'; then
    ow trigger update "$trigger" --param cron "$cron"
else
    # If the trigger exists, it has no alarm. No update gives it one, so the script makes it anew.
    if "$wsk" $insecure trigger get "$trigger" > /dev/null 2>&1; then
        ow trigger delete "$trigger"
    fi
    ow trigger create "$trigger" --feed /whisk.system/alarms/alarm --param cron "$cron"
fi

ow rule update "$name-rule" "$trigger" "$name"
# A rule is off after its trigger was made anew.
ow rule enable "$name-rule"

if ! alarm "\"cron\": \"$cron\"" || ! alarm '"active": true'; then
    fail "the trigger $trigger has no active alarm by \"$cron\", so nothing would run; see \`wsk trigger get $trigger\`"
fi
