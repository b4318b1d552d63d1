package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/elastic/go-lumber/lj"
)

// received is one line of output.
type received struct {
	Window uint64      `json:"window"`
	Size   int         `json:"size"`
	Event  interface{} `json:"event"`
}

// receive reports each window's events, then answers the window as the options say.
func receive(batches <-chan *lj.Batch, connections *connections, o options) error {
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	var window uint64
	for batch := range batches {
		window++
		for _, event := range batch.Events {
			if err := encoder.Encode(received{window, len(batch.Events), event}); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		switch {
		case window <= o.closeInsteadOfAck:
			connections.close(batch.RemoteAddr)
		case window <= o.withholdAcks:
			// The server goes on with its keep-alives, as a Logstash with a blocked pipeline does.
		default:
			// Not here and now: a delay must hold up its own connection only.
			time.AfterFunc(o.ackDelay, batch.ACK)
		}
	}
	return nil
}

// keepText decodes as the server does by default, but hands on the text itself: what the test sees is what was sent, to the byte.
func keepText(text []byte, event interface{}) error {
	var checked interface{}
	if err := json.Unmarshal(text, &checked); err != nil {
		return err
	}
	kept, ok := event.(*interface{})
	if !ok {
		return fmt.Errorf("the server wants its event as %T", event)
	}
	*kept = json.RawMessage(bytes.Clone(text))
	return nil
}
