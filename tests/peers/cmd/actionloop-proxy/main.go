// Command actionloop-proxy plays OpenWhisk's ActionLoop proxy: what stands between the platform and an action's executable in
// a container of the Go, Rust and base images. Our own code with the original's behaviour, for tests that run where the
// original cannot be had; only error texts that the forwarder's users may meet are the original's.
//
// The first line of stdout is {"address":"127.0.0.1:PORT"}. The action's stdout and stderr, and the lines that mark the end of a
// run's logs, go to stderr. The process ends when its stdin is closed, and takes the action with it.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"

	"whiskjack/peers/internal/peer"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	waitForAck := flag.Bool("wait-for-ack", false, "as the Go images: the action must say {\"ok\":true} on fd 3 before its first run")
	deadlineKill := flag.Bool("deadline-kill", false, "kill the action when a run passes the deadline in its body")
	executionEnv := flag.String("execution-env", "", "as the Go images: exec.env beside the executable must hold this text")
	flag.Parse()
	if flag.NArg() > 0 {
		peer.Fail(fmt.Errorf("unexpected argument %q", flag.Arg(0)))
	}

	base, err := os.MkdirTemp("", "actionloop-")
	if err != nil {
		peer.Fail(err)
	}
	proxy := &proxy{base: base, waitForAck: *waitForAck, deadlineKill: *deadlineKill, executionEnv: *executionEnv}
	err = serve(*listen, proxy)
	proxy.stop()
	_ = os.RemoveAll(base)
	if err != nil {
		peer.Fail(err)
	}
}

// serve returns when the parent is gone.
func serve(address string, handler http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- http.Serve(listener, handler) }()
	if err := peer.Announce(listener); err != nil {
		return err
	}
	orphaned := make(chan struct{})
	go func() {
		peer.WaitForParent()
		close(orphaned)
	}()
	select {
	case err := <-failed:
		return err
	case <-orphaned:
		return nil
	}
}
