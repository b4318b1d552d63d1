"""The component in wasmtime: its imports from the host, and one run of it."""

import json
import time

from wasmtime import Config, Engine, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker, Record, ResourceHost, ResourceType, Variant

from params import host_params
from transport import Connection, Fault

PACKAGE = "whiskjack:forwarder"
VERSION = "0.1.0"
REMEDY = "take the component of the same release"
SAVE_EVERY = 15  # seconds
CONNECTION = 1  # The number of our only type of resource.


class Forwarder:
    """An instance of the component in `file`, which may reach the receivers that `params` name, with TLS as they say.

    Raises `ValueError` that names keys of `params`, and `RuntimeError` if the component cannot be used.
    """

    def __init__(self, file: str, params: dict):
        self.connections: dict[int, Connection] = {}
        self.opened = 0
        self.receivers, self.tls, self.servername = host_params(params)
        self.params = params
        config = Config()
        config.cache = True  # The first start compiles for a second or two.
        engine = Engine(config)
        self.store = Store(engine)
        wasi = WasiConfig()
        wasi.inherit_stderr()
        self.store.set_wasi(wasi)
        self.store.set_wasi_http()
        self.instance = self.instantiate(engine, component_of(engine, file))

    def run(self, context: Record, save) -> tuple[dict, int]:
        """Forwards once; `save` keeps a checkpoint. Gives the result and an exit status: 0 all was forwarded, 1 something failed or is
        owed, 2 the configuration is wrong."""
        plan = self.call("plan", json.dumps(self.params).encode(), context)
        if isinstance(plan, Variant):
            return error_of(plan)
        slices, outcomes, saved_at = list(plan.slices), [], time.monotonic()
        for slice in slices:
            outcome = self.call("forward", plan, slice)
            outcomes.append(outcome)
            if outcome.rest is not None:
                slices.append(outcome.rest)
            if time.monotonic() - saved_at > SAVE_EVERY:
                keep(self.call("conclude", plan, outcomes, False), save)
                saved_at = time.monotonic()
        report = self.call("conclude", plan, outcomes, True)
        keep(report, save)
        return json.loads(report.result), 0 if report.complete else 1

    def close(self) -> None:
        while self.connections:
            self.connections.popitem()[1].close()

    def call(self, function: str, *arguments):
        interface = self.instance.get_export_index(self.store, f"{PACKAGE}/forwarder@{VERSION}")
        index = self.instance.get_export_index(self.store, function, interface)
        called = self.instance.get_func(self.store, index)
        return called(self.store, *arguments)

    def instantiate(self, engine: Engine, component: Component):
        exports = list(component.type.exports(engine))
        if f"{PACKAGE}/forwarder@{VERSION}" not in exports:
            found = ", ".join(exports) or "nothing"
            raise RuntimeError(f"the component exports {found}, this host is for {PACKAGE}@{VERSION}; {REMEDY}")
        linker = Linker(engine)
        linker.add_wasip2()
        linker.add_wasi_http()
        with linker.root() as root, root.add_instance(f"{PACKAGE}/transport@{VERSION}") as transport:
            transport.add_resource("connection", ResourceType.host(CONNECTION), lambda _, id: self.drop(id))
            transport.add_func("[static]connection.connect", answered(self.connect))
            transport.add_func("[method]connection.write", answered(lambda it, *args: self.at(it).write(*args)))
            transport.add_func("[method]connection.read", answered(lambda it, *args: self.at(it).read(*args)))
        try:
            return linker.instantiate(self.store, component)
        except WasmtimeError as error:
            raise RuntimeError(f"{str(error).splitlines()[0]}: this host is for {PACKAGE}@{VERSION}; {REMEDY}")

    def connect(self, host: str, port: int, timeout_ms: int) -> ResourceHost:
        if f"{host}:{port}".lower() not in self.receivers:
            allowed = ", ".join(self.receivers) or "nothing"
            remedy = "name it in `logstash.host` and `logstash.port`, or in `logstash.hosts`"
            raise Fault("permit", False, f"{host}:{port} is not allowed: only {allowed} is; {remedy}")
        connection = Connection.open(host, port, timeout_ms, self.tls, self.servername)
        self.opened += 1
        self.connections[self.opened] = connection
        return ResourceHost.own(self.opened, CONNECTION)

    def at(self, rep: int) -> Connection:
        return self.connections[rep]

    def drop(self, rep: int) -> None:
        self.connections.pop(rep).close()


def component_of(engine: Engine, file: str) -> Component:
    try:
        return Component.from_file(engine, file)
    except OSError as error:
        raise RuntimeError(f"{file}: {error.strerror}; run `cargo xtask build`, or name a component with --component")


def answered(function):
    """`function` for wasmtime: faults as records, resources as our numbers."""

    def call(store, *arguments):
        numbers = (a.to_host(store).rep if hasattr(a, "to_host") else a for a in arguments)
        try:
            return function(*numbers)
        except Fault as fault:
            return record(step=fault.step, retryable=fault.retryable, message=fault.message)

    return call


def record(**fields) -> Record:
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


def keep(report: Record, save) -> None:
    if report.checkpoint is not None:
        save(report.checkpoint)


def error_of(error: Variant) -> tuple[dict, int]:
    if error.tag == "invalid-config":
        return {"error": "; ".join(f"{fault.key}: {fault.remedy}" for fault in error.payload)}, 2
    return {"error": getattr(error.payload, "message", error.payload)}, 1
