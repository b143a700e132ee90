package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const addressHeader = "X-Pod-Address"

// startPods serves HTTP on all pod addresses. The response names the address of the pod.
func startPods() error {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == webSocketPath {
			acceptWebSocket(w)
			return
		}
		if address, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
			w.Header().Set(addressHeader, address.String())
		}
		_, _ = io.WriteString(w, "ok")
	})
	last := maxIngresses * endpointsPerPool / 0xff00
	for n := range last + 1 {
		listener, err := net.Listen("tcp", fmt.Sprint("0.0.0.0:", podPort+n))
		if err != nil {
			return err
		}
		// Limpet keeps a connection to each pod. This process cannot keep open tens of thousands.
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, IdleTimeout: 5 * time.Second}
		go func() { _ = server.Serve(listener) }() // ends with the process
	}
	return nil
}

// client is an HTTP client with one connection to a replica.
type client struct {
	http   *http.Client
	target string
}

func newClient(r *replica) *client {
	return &client{&http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}, Timeout: 10 * time.Second}, r.http}
}

// get returns the status of a response, and the address of the pod that sent it.
func (c *client) get(ctx context.Context, host, path string) (status int, pod string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.target+path, nil)
	if err != nil {
		return 0, "", err
	}
	request.Host = host
	response, err := c.http.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, "", err
	}
	return response.StatusCode, response.Header.Get(addressHeader), nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// Clients that measure latency: each sends requests at a fixed rate on one connection.
const (
	latencyClients = 4
	clientRate     = 100 // requests per second
)

// latencies returns how long the requests of several clients took until ctx was done, and the number of those that failed.
func (b *bench) latencies(ctx context.Context, r *replica) (durations, int) {
	var mu sync.Mutex
	var all durations
	failed := 0
	var running sync.WaitGroup
	for n := range latencyClients {
		running.Go(func() {
			c := newClient(r)
			defer c.close()
			_ = repeat(ctx, clientRate, func(k int) error {
				before := time.Now()
				status, _, err := c.get(ctx, hostOf((n*7919+k*104729)%b.fleet.size), "/app")
				took := time.Since(before)
				if ctx.Err() != nil {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, took)
				if err != nil || status != http.StatusOK {
					failed++
				}
				return nil
			})
		})
	}
	running.Wait()
	return all, failed
}

// touchAll sends one request to each host, so that every pool has had traffic.
func (b *bench) touchAll(ctx context.Context, r *replica) error {
	c := newClient(r)
	defer c.close()
	for i := range b.fleet.size {
		status, _, err := c.get(ctx, hostOf(i), "/app")
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("the response for %s has status %d", hostOf(i), status)
		}
	}
	return nil
}
