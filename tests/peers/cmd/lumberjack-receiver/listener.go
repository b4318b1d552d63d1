package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"sync"
)

// connections is a listener that remembers what it accepted: go-lumber names a batch's connection, but cannot close it.
type connections struct {
	net.Listener
	mutex sync.Mutex
	open  map[string]net.Conn
}

func newConnections(listener net.Listener) *connections {
	return &connections{Listener: listener, open: make(map[string]net.Conn)}
}

func (c *connections) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.mutex.Lock()
		c.open[conn.RemoteAddr().String()] = conn
		c.mutex.Unlock()
	}
	return conn, err
}

// close closes the TCP connection from that address, without a TLS goodbye.
func (c *connections) close(remote string) {
	c.mutex.Lock()
	conn := c.open[remote]
	delete(c.open, remote)
	c.mutex.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
}

func secure(listener net.Listener, o options) (net.Listener, error) {
	if o.certificate == "" {
		return listener, nil
	}
	pair, err := tls.LoadX509KeyPair(o.certificate, o.key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if o.clientCA != "" {
		pem, err := os.ReadFile(o.clientCA)
		if err != nil {
			return nil, err
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", o.clientCA)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return tls.NewListener(listener, config), nil
}
