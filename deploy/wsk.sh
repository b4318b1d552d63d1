#!/bin/sh
# Deploys whiskjack with the wsk command: action, trigger with an alarm, and rule. May be repeated at any time.
set -eu

usage() {
    cat <<'TEXT'
usage: wsk.sh [OPTIONS]

  --zip FILE      the action's code, default ../dist/whiskjack-action.zip beside this script
  --config FILE   the action's parameters, a JSON object; default config.json
  --name NAME     name of the action, default whiskjack; trigger and rule are NAME-alarm and NAME-rule
  --cron CRON     when it runs, default "* * * * *", every minute
  --timeout MS    longest run in milliseconds, default 60000; at most the time between two alarms, or runs overlap
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
wsk=${WSK:-wsk}
command -v "$wsk" > /dev/null 2>&1 || fail "$wsk is not there; install the OpenWhisk command line, or name it with WSK"
[ -r "$zip" ] || fail "--zip $zip: cannot be read; make it with \`cargo xtask dist\`"
[ -r "$config" ] || fail "--config $config: cannot be read; it holds the parameters, see docs/configuration.md"

# $insecure is one word or none; $image too, and --native takes none.
ow() {
    # shellcheck disable=SC2086
    "$wsk" $insecure "$@" || fail "\`wsk $1 $2\` failed; when that is mended, the same command goes on from here"
}

# The key: without this annotation OpenWhisk hands none to the action.
# shellcheck disable=SC2086
ow action update "$name" "$zip" "$runtime" $image --annotation provide-api-key true --param-file "$config" \
    --timeout "$timeout" --memory "$memory" --logsize 10

trigger=$name-alarm
# shellcheck disable=SC2086
if "$wsk" $insecure trigger get "$trigger" > /dev/null 2>&1; then
    ow trigger update "$trigger" --param cron "$cron"
else
    ow trigger create "$trigger" --feed /whisk.system/alarms/alarm --param cron "$cron"
fi

ow rule update "$name-rule" "$trigger" "$name"
# A rule whose trigger was made anew is off.
ow rule enable "$name-rule"
