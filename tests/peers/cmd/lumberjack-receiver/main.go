// Command lumberjack-receiver is Elastic's own Lumberjack server (go-lumber) as a process that a test can start.
//
// The first line of stdout is {"address":"127.0.0.1:PORT"}. Each event that arrives is one more line,
// {"window":N,"size":n,"event":{…}}, written before its window is acknowledged: what a client was told is safe
// can be read here. The process ends when its stdin is closed.
package main

import (
	"flag"
	"fmt"
	"net"
	"time"

	"github.com/elastic/go-lumber/server"

	"whiskjack/peers/internal/peer"
)

func main() {
	options, err := parseFlags()
	if err != nil {
		peer.Fail(err)
	}
	if err := run(options); err != nil {
		peer.Fail(err)
	}
}

type options struct {
	listen            string
	version           string
	certificate       string
	key               string
	clientCA          string
	ackDelay          time.Duration
	withholdAcks      uint64
	closeInsteadOfAck uint64
	text              bool
	frugal            bool
}

func parseFlags() (options, error) {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "address to listen on")
	flag.StringVar(&o.version, "version", "both", "protocol versions accepted: 1, 2 or both")
	flag.StringVar(&o.certificate, "cert", "", "certificate chain (PEM file): turns TLS on")
	flag.StringVar(&o.key, "key", "", "private key of -cert (PEM file)")
	flag.StringVar(&o.clientCA, "client-ca", "", "CA that client certificates must come from (PEM file)")
	flag.DurationVar(&o.ackDelay, "ack-delay", 0, "wait this long before each ack")
	flag.Uint64Var(&o.withholdAcks, "withhold-acks", 0, "never ack the first `N` windows; their connections stay open")
	flag.Uint64Var(&o.closeInsteadOfAck, "close-instead-of-ack", 0, "close the connection of the first `N` windows without an ack")
	flag.BoolVar(&o.text, "text", false, "report events of version 2 also as they were sent, as \"text\"")
	flag.BoolVar(&o.frugal, "frugal", false, "check that events of version 2 are JSON, but report none of their content: for benchmarks of senders")
	flag.Parse()

	switch {
	case flag.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case o.version != "1" && o.version != "2" && o.version != "both":
		return o, fmt.Errorf("-version %q: must be 1, 2 or both", o.version)
	case (o.certificate == "") != (o.key == ""):
		return o, fmt.Errorf("-cert and -key go together")
	case o.text && o.frugal:
		return o, fmt.Errorf("-text and -frugal exclude each other")
	case o.clientCA != "" && o.certificate == "":
		return o, fmt.Errorf("-client-ca needs -cert and -key")
	}
	return o, nil
}

func run(o options) error {
	tcp, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	connections := newConnections(tcp)
	listener, err := secure(connections, o)
	if err != nil {
		return err
	}
	decoder := keepDigits
	switch {
	case o.text:
		decoder = keepText
	case o.frugal:
		decoder = keepNothing
	}
	lumberjack, err := server.NewWithListener(listener,
		server.V1(o.version != "2"), server.V2(o.version != "1"), server.JSONDecoder(decoder))
	if err != nil {
		return err
	}
	if err := peer.Announce(tcp); err != nil {
		return err
	}
	go func() {
		if err := receive(lumberjack.ReceiveChan(), connections, o); err != nil {
			peer.Fail(err)
		}
	}()
	peer.WaitForParent()
	return nil
}
