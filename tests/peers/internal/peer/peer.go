// Package peer is what all test peers have in common: the readiness line, and the rule that they end with their parent.
package peer

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
)

// Announce writes the readiness line, the first of stdout: connections to the address are accepted from now on.
func Announce(listener net.Listener) error {
	return json.NewEncoder(os.Stdout).Encode(map[string]string{"address": listener.Addr().String()})
}

// WaitForParent returns when stdin is closed: the test that started this process is over or dead.
func WaitForParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// Fail ends the process with a message on stderr.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
