// Command lumberjack-client is Elastic's own Lumberjack client (go-lumber, version 2) as a process that a test can start.
//
// Each line of stdin is a JSON array of events: one window. Each is answered by a line on stdout, {"acknowledged":n} or
// {"error":"…"}; after an error the process ends.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"time"

	client "github.com/elastic/go-lumber/client/v2"

	"whiskjack/peers/internal/peer"
)

// A window of the tests fits well.
const longestLine = 64 << 20

type answer struct {
	Acknowledged int    `json:"acknowledged"`
	Error        string `json:"error,omitempty"`
}

func main() {
	address := flag.String("address", "", "receiver, host:port")
	level := flag.Int("level", 3, "compression, 0 to 9")
	timeout := flag.Duration("timeout", 10*time.Second, "longest wait for an ack")
	flag.Parse()
	if err := run(*address, *level, *timeout); err != nil {
		peer.Fail(err)
	}
}

func run(address string, level int, timeout time.Duration) error {
	lumberjack, err := client.SyncDial(address, client.CompressionLevel(level), client.Timeout(timeout))
	if err != nil {
		return err
	}
	defer func() { _ = lumberjack.Close() }()

	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, longestLine)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		// Each event is handed on as it is: no number is rounded, and what is wrong with it stays wrong.
		var raw []json.RawMessage
		if err := json.Unmarshal(in.Bytes(), &raw); err != nil {
			return err
		}
		events := make([]interface{}, len(raw))
		for i := range raw {
			events[i] = raw[i]
		}
		acknowledged, err := lumberjack.Send(events)
		if err != nil {
			return out.Encode(answer{acknowledged, err.Error()})
		}
		if err := out.Encode(answer{Acknowledged: acknowledged}); err != nil {
			return err
		}
	}
	return in.Err()
}
