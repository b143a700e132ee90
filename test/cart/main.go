// Command cart is the sample app of the e2e tests. It keeps the baskets of its clients in memory, like apps that
// need sticky sessions. On another pod, a client finds an empty basket. The response contains the name of the pod.
//
// It shuts down as described in docs/guides/rolling-updates.md: after SIGTERM it keeps serving and stays ready for
// -grace. Then it closes its listener, requests that clients close their connections, ends streams, and exits.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	address := flag.String("addr", ":8080", "`address` to listen on")
	handoff := flag.String("handoff-addr", ":8081", "`address` on which other pods fetch baskets; no Service must have its port")
	grace := flag.Duration("grace", 0, "how long to keep serving after SIGTERM")
	flag.Parse()
	pod, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := serve(ctx, *address, *handoff, pod, *grace); err != nil {
		log.Fatal(err)
	}
}

// closeDelay is how long responses have Connection: close before the pod closes idle connections. Closing them
// immediately would lose requests in flight.
const closeDelay = 2 * time.Second

// serve serves until ctx is done, and then for the grace period.
func serve(ctx context.Context, address, handoff, pod string, grace time.Duration) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	baskets, err := net.Listen("tcp", handoff)
	if err != nil {
		return err
	}
	shop := newShop(pod)
	if _, shop.handoffPort, err = net.SplitHostPort(handoff); err != nil {
		return err
	}
	giving := &http.Server{Handler: shop.giving(), ReadHeaderTimeout: time.Minute}
	defer giving.Close()
	go func() { _ = giving.Serve(baskets) }()
	server := &http.Server{Handler: shop, ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	time.Sleep(grace)
	listener.Close()
	shop.closing.Store(true)
	time.Sleep(closeDelay)
	shop.endStreams()
	stopped, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return server.Shutdown(stopped)
}
