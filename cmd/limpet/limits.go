package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/proxy"
)

// limitOptions are the flags for timeouts and size limits of the data plane.
type limitOptions struct {
	timeouts     exchange.Timeouts
	wire         http1.Limits
	maxBodyBytes int64
	maxAttempts  int64
	headBytes    int64
	uriBytes     int64
	fields       int64
}

func (o *limitOptions) register(f flagSet) {
	o.timeouts, o.wire, o.maxAttempts = exchange.DefaultTimeouts(), http1.DefaultLimits(), exchange.DefaultAttempts
	o.headBytes, o.uriBytes, o.fields = int64(o.wire.HeadBytes), int64(o.wire.TargetBytes), int64(o.wire.Fields)
	f.timeout(&o.timeouts.Head, "timeout-head",
		"How long a client may take to send a request head, from its first byte to its last.")
	f.timeout(&o.timeouts.Idle, "timeout-idle", "How long a client connection may stay open without a request.")
	f.timeout(&o.timeouts.Body, "timeout-body", "How long a client may pause while it sends a body or reads a response.")
	f.timeout(&o.timeouts.Dial, "timeout-connect", "How long connecting to a pod may take.")
	f.timeout(&o.timeouts.Response, "timeout-response", "How long a pod may send nothing, before or during its response.")
	f.timeout(&o.timeouts.Passthrough, "timeout-passthrough", "How long a TLS connection that is passed through to a pod may carry"+
		" no data. It ends at the latest after twice that time.")
	f.number(&o.headBytes, 1<<10, 1<<20, "max-head-bytes", "The maximum size of the head of a request or response, in bytes.")
	f.number(&o.uriBytes, 256, 1<<20, "max-uri-bytes", "The maximum size of the path and query of a request, in bytes.")
	f.number(&o.fields, 16, 1000, "max-fields", "The maximum number of header fields of a request or response.")
	f.number(&o.maxBodyBytes, 0, 1<<50, "max-body-bytes", "The maximum size of a request body, in bytes. Zero sets no limit.")
	f.number(&o.maxAttempts, 1, 10, "max-attempts", "The maximum number of attempts at one request, the first included.")
}

// apply sets the options of the proxy.
func (o *limitOptions) apply(to *proxy.Options) {
	o.wire.HeadBytes, o.wire.TargetBytes, o.wire.Fields = int(o.headBytes), int(o.uriBytes), int(o.fields)
	to.Limits, to.Timeouts = o.wire, o.timeouts
	to.MaxBodyBytes, to.MaxAttempts = o.maxBodyBytes, int(o.maxAttempts)
}

// The range of timeouts. They are enforced with a resolution of 100 ms, so shorter ones would have no meaning.
const (
	minTimeout = 100 * time.Millisecond
	maxTimeout = 24 * time.Hour
)

// timeout defines a duration flag. The current value of *to is the default.
func (f flagSet) timeout(to *time.Duration, name, usage string) {
	f.Var(&timeout{to}, name, usage)
}

type timeout struct{ to *time.Duration }

func (t *timeout) String() string {
	if t.to == nil {
		return ""
	}
	return t.to.String()
}

// Type names the kind of value in the help text, as pflag wants.
func (t *timeout) Type() string { return "duration" }

func (t *timeout) Set(s string) error {
	value, err := time.ParseDuration(s)
	if err != nil || value < minTimeout || value > maxTimeout {
		return fmt.Errorf("it must be a duration such as 30s or 5m, from %s to %s", minTimeout, maxTimeout)
	}
	*t.to = value
	return nil
}

// number defines an integer flag with bounds. The current value of *to is the default.
func (f flagSet) number(to *int64, minimum, maximum int64, name, usage string) {
	f.Var(&number{to, minimum, maximum}, name, usage)
}

type number struct {
	to               *int64
	minimum, maximum int64
}

func (n *number) String() string {
	if n.to == nil {
		return ""
	}
	return strconv.FormatInt(*n.to, 10)
}

// Type names the kind of value in the help text, as pflag wants.
func (n *number) Type() string { return "int" }

func (n *number) Set(s string) error {
	value, err := strconv.ParseInt(s, 10, 64)
	if err != nil || value < n.minimum || value > n.maximum {
		return fmt.Errorf("it must be a whole number from %d to %d", n.minimum, n.maximum)
	}
	*n.to = value
	return nil
}
