// Command lumberjack-bench times Elastic's own Lumberjack client (go-lumber, version 2) with its level 3 and Filebeat's 2048 events a window.
//
// Its input is read before the clock starts: activation records, one JSON object a line, of which each log line becomes a struct with the
// fields of our events; or with -raw events as text, one a line, which are sent as they are. It prints one line,
// {"events":n,"cpu_us":t}: events acknowledged, and user and system time of the whole process for encoding, compressing, sending and waiting.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"syscall"
	"time"

	client "github.com/elastic/go-lumber/client/v2"

	"whiskjack/peers/internal/peer"
)

const (
	level   = 3
	window  = 2048
	timeout = 30 * time.Second
	// A record or an event of the benchmarks fits well.
	longestLine = 64 << 20
)

type record struct {
	ActivationID string   `json:"activationId"`
	Namespace    string   `json:"namespace"`
	Name         string   `json:"name"`
	Logs         []string `json:"logs"`
}

// event has the fields of ours, in their order.
type event struct {
	Timestamp  string   `json:"@timestamp"`
	Metadata   metadata `json:"@metadata"`
	Line       string   `json:"line"`
	Activation string   `json:"activation"`
	Action     string   `json:"action"`
	Namespace  string   `json:"namespace"`
}

type metadata struct {
	Beat    string `json:"beat"`
	Version string `json:"version"`
	ID      string `json:"_id"`
}

func main() {
	address := flag.String("address", "", "receiver, host:port")
	raw := flag.Bool("raw", false, "the input holds events, to be sent as they are")
	flag.Parse()
	if flag.NArg() != 1 {
		peer.Fail(fmt.Errorf("usage: lumberjack-bench -address HOST:PORT [-raw] FILE"))
	}
	if err := run(*address, flag.Arg(0), *raw); err != nil {
		peer.Fail(err)
	}
}

func run(address, file string, raw bool) error {
	read, options := structs, []client.Option{client.CompressionLevel(level), client.Timeout(timeout)}
	if raw {
		read = texts
		options = append(options, client.JSONEncoder(func(event interface{}) ([]byte, error) { return event.([]byte), nil }))
	}
	events, err := lines(file, read)
	if err != nil {
		return err
	}
	before, err := cpu()
	if err != nil {
		return err
	}
	acknowledged, err := send(address, events, options)
	if err != nil {
		return err
	}
	after, err := cpu()
	if err != nil {
		return err
	}
	answer := map[string]int64{"events": int64(acknowledged), "cpu_us": (after - before).Microseconds()}
	return json.NewEncoder(os.Stdout).Encode(answer)
}

func send(address string, events []interface{}, options []client.Option) (int, error) {
	lumberjack, err := client.SyncDial(address, options...)
	if err != nil {
		return 0, err
	}
	defer func() { _ = lumberjack.Close() }()
	acknowledged := 0
	for len(events) > 0 {
		count := len(events)
		if count > window {
			count = window
		}
		sent, err := lumberjack.Send(events[:count])
		if err != nil {
			return acknowledged, err
		}
		acknowledged += sent
		events = events[count:]
	}
	return acknowledged, nil
}

func lines(file string, read func([]byte) ([]interface{}, error)) ([]interface{}, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, longestLine)
	var all []interface{}
	for scanner.Scan() {
		events, err := read(scanner.Bytes())
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
	}
	return all, scanner.Err()
}

// structs makes the events of a record: all that is left to do is to encode them.
func structs(text []byte) ([]interface{}, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, err
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(r.Namespace))
	events := make([]interface{}, len(r.Logs))
	for i, line := range r.Logs {
		at, _, _ := strings.Cut(line, " ")
		id := fmt.Sprintf("%08x-%s-%d", hash.Sum32(), r.ActivationID, i)
		events[i] = &event{at, metadata{"whiskjack", "0.1.0", id}, line, r.ActivationID, r.Name, r.Namespace}
	}
	return events, nil
}

func texts(text []byte) ([]interface{}, error) {
	return []interface{}{append([]byte(nil), text...)}, nil
}

// cpu is what this process has taken so far, all its threads together.
func cpu() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, err
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}
