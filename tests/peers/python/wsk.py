"""Stands in for OpenWhisk's command line, wsk, which no registry has: the commands and flags that deploy/wsk.sh uses and no others, with
wsk's rules about them, its requests, and what it prints of a feed. It is ours, after what wsk 1.2.0 does; it is not wsk.

API host and key come from the file that WSK_CONFIG_FILE names. Each command is noted, a line each, in the file that WSK_JOURNAL names.
"""

import argparse
import base64
import json
import os
import sys
import urllib.error
import urllib.request

FEED = "feed"


class Failed(Exception):
    """What wsk prints after `error: `."""


def properties():
    with open(os.environ["WSK_CONFIG_FILE"], encoding="utf-8") as file:
        lines = [line.strip().split("=", 1) for line in file if "=" in line]
    return dict(lines)


def request(method, path, body=None):
    props = properties()
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"{props['APIHOST']}/api/v1/namespaces/{path}", data, method=method)
    asked.add_header("Authorization", "Basic " + base64.b64encode(props["AUTH"].encode()).decode())
    asked.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            text = answer.read()
            return json.loads(text) if text[:1] in (b"{", b"[") else None
    except urllib.error.HTTPError as error:
        raise Failed(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from error


def value(text):
    """What looks like JSON is JSON, anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def pairs(given):
    return [{"key": key, "value": value(text)} for key, text in given or []]


def action_update(options):
    if options.kind and options.docker:
        raise Failed("the --kind and --docker flags cannot be combined")
    artifact = options.artifact
    if artifact and artifact.endswith(".zip") and not (options.kind or options.docker or options.native):
        raise Failed("creating an action from a .zip artifact requires specifying the action kind explicitly")
    if options.kind:
        execution = {"kind": options.kind}
    elif options.docker or options.native:
        execution = {"kind": "blackbox", "image": options.docker or "openwhisk/dockerskeleton"}
    else:
        raise Failed("the artifact's kind is not known")
    if artifact:
        with open(artifact, "rb") as file:
            execution["code"] = base64.b64encode(file.read()).decode()
    body = {"name": options.name, "namespace": "_", "exec": execution}
    if options.param_file:
        with open(options.param_file, encoding="utf-8") as file:
            body["parameters"] = [{"key": key, "value": held} for key, held in json.load(file).items()]
    if options.annotation:
        body["annotations"] = pairs(options.annotation)
    limits = {"timeout": options.timeout, "memory": options.memory, "logs": options.logsize}
    body["limits"] = {key: limit for key, limit in limits.items() if limit is not None}
    request("PUT", f"_/actions/{options.name}?overwrite=true", body)
    print(f"ok: updated action {options.name}")


def configure(feed, event, trigger, parameters):
    """Prints what the feed answers, as wsk does."""
    body = {pair["key"]: pair["value"] for pair in parameters}
    body |= {"lifecycleEvent": event, "triggerName": f"/_/{trigger}", "authKey": properties()["AUTH"]}
    namespace, package, name = feed.strip("/").split("/")
    print(json.dumps(request("POST", f"{namespace}/actions/{package}/{name}?blocking=true", body), indent=4))


def feed_of(trigger):
    return next((pair["value"] for pair in trigger["annotations"] if pair["key"] == FEED), None)


def trigger_get(options):
    trigger = request("GET", f"_/triggers/{options.name}")
    if not feed_of(trigger):
        print(f"ok: got trigger {options.name}")
        print(json.dumps(trigger, indent=4))
        return
    try:
        configure(feed_of(trigger), "READ", options.name, [])
    except Failed as error:
        # As wsk does: what the feed says is no reason to fail.
        print(error, file=sys.stderr)


def trigger_delete(options):
    feed = feed_of(request("GET", f"_/triggers/{options.name}"))
    if feed:
        try:
            configure(feed, "DELETE", options.name, [])
        except Failed as error:
            # Here too.
            print(error, file=sys.stderr)
    request("DELETE", f"_/triggers/{options.name}")
    print(f"ok: deleted trigger {options.name}")


def trigger_create(options):
    annotations = [{"key": FEED, "value": options.feed}] if options.feed else []
    body = {"name": options.name, "annotations": annotations}
    if not options.feed:
        body["parameters"] = pairs(options.param)
    request("PUT", f"_/triggers/{options.name}", body)
    if options.feed:
        try:
            configure(options.feed, "CREATE", options.name, pairs(options.param))
        except Failed:
            request("DELETE", f"_/triggers/{options.name}")
            raise
    print(f"ok: created trigger {options.name}")


def trigger_update(options):
    feed = feed_of(request("GET", f"_/triggers/{options.name}"))
    if feed:
        configure(feed, "UPDATE", options.name, pairs(options.param))
    else:
        request("PUT", f"_/triggers/{options.name}?overwrite=true", {"parameters": pairs(options.param)})
    print(f"ok: updated trigger {options.name}")


def rule_update(options):
    body = {"name": options.name, "trigger": f"/_/{options.trigger}", "action": f"/_/{options.action}"}
    request("PUT", f"_/rules/{options.name}?overwrite=true", body)
    print(f"ok: updated rule {options.name}")


def rule_enable(options):
    request("POST", f"_/rules/{options.name}", {"status": "active"})
    print(f"ok: enabled rule {options.name}")


def parser():
    top = argparse.ArgumentParser(prog="wsk", allow_abbrev=False)
    top.add_argument("-i", "--insecure", action="store_true")
    kinds = top.add_subparsers(required=True)

    def command(group, name, run):
        added = group.add_parser(name, allow_abbrev=False)
        added.set_defaults(run=run)
        added.add_argument("name")
        return added

    def pair(added, short, long):
        added.add_argument(short, long, nargs=2, action="append", metavar=("KEY", "VALUE"))

    actions = kinds.add_parser("action").add_subparsers(required=True)
    update = command(actions, "update", action_update)
    update.add_argument("artifact", nargs="?")
    update.add_argument("--native", action="store_true")
    update.add_argument("--docker")
    update.add_argument("--kind")
    update.add_argument("-t", "--timeout", type=int)
    update.add_argument("-m", "--memory", type=int)
    update.add_argument("-l", "--logsize", type=int)
    pair(update, "-a", "--annotation")
    update.add_argument("-P", "--param-file")

    triggers = kinds.add_parser("trigger").add_subparsers(required=True)
    command(triggers, "get", trigger_get)
    command(triggers, "delete", trigger_delete)
    create = command(triggers, "create", trigger_create)
    create.add_argument("-f", "--feed")
    pair(create, "-p", "--param")
    pair(command(triggers, "update", trigger_update), "-p", "--param")

    rules = kinds.add_parser("rule").add_subparsers(required=True)
    update = command(rules, "update", rule_update)
    update.add_argument("trigger")
    update.add_argument("action")
    command(rules, "enable", rule_enable)
    return top


def main():
    with open(os.environ["WSK_JOURNAL"], "a", encoding="utf-8") as journal:
        journal.write(" ".join(sys.argv[1:]) + "\n")
    options = parser().parse_args()
    try:
        options.run(options)
    except Failed as error:
        sys.exit(f"error: {error}")


main()
