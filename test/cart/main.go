// Command cart is the shop of the e2e suite: an app that keeps the baskets of its clients in memory, as apps that need
// sticky sessions do. A client that is led to another pod finds its basket empty, and the answer says which pod that was.
//
// It stops as docs/guides/rolling-updates.md asks: after SIGTERM it goes on serving, ready, for -grace; then it closes its
// listener, has connections closed by who opened them, ends its streams, and stops.
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
	grace := flag.Duration("grace", 0, "how long to go on serving after SIGTERM")
	flag.Parse()
	pod, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := serve(told, *address, pod, *grace); err != nil {
		log.Fatal(err)
	}
}

// farewell is how long answers ask for their connection to be closed, before the pod closes those that are idle: a request
// that is on its way at that moment would be lost.
const farewell = 2 * time.Second

// serve serves until it is told to stop, and for the grace after that.
func serve(told context.Context, address, pod string, grace time.Duration) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	shop := newShop(pod)
	server := &http.Server{Handler: shop, ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-told.Done():
	}
	time.Sleep(grace)
	listener.Close()
	shop.closing.Store(true)
	time.Sleep(farewell)
	shop.endStreams()
	stopped, cancel := context.WithTimeout(context.WithoutCancel(told), 5*time.Second)
	defer cancel()
	return server.Shutdown(stopped)
}
