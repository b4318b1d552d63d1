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
	Text   string      `json:"text,omitempty"`
}

// sent is an event together with the text it came as.
type sent struct {
	event interface{}
	text  string
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
			line := received{Window: window, Size: len(batch.Events), Event: event}
			if kept, ok := event.(sent); ok {
				line.Event, line.Text = kept.event, kept.text
			}
			if err := encoder.Encode(line); err != nil {
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

// keepDigits decodes as the server does by default, but keeps the numbers' text, so that none is rounded on its way to the test.
func keepDigits(text []byte, event interface{}) error {
	var checked interface{}
	if err := json.Unmarshal(text, &checked); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(event)
}

// keepNothing only checks that it is JSON.
func keepNothing(text []byte, _ interface{}) error {
	if !json.Valid(text) {
		return fmt.Errorf("an event is no JSON")
	}
	return nil
}

// keepText does the same, and keeps the text itself.
func keepText(text []byte, event interface{}) error {
	kept := sent{text: string(text)}
	if err := keepDigits(text, &kept.event); err != nil {
		return err
	}
	*event.(*interface{}) = kept
	return nil
}
