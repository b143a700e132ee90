package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// flood opens streams and resets them, in rounds. Each round begins when the one before it may be over.
func flood(t *testing.T, addr string, rounds, streams int, over func(round int) bool) (ended bool) {
	conn, err := quic.DialAddr(t.Context(), addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}, nil)
	if err != nil {
		t.Error(err)
		return false
	}
	transport := &http3.Transport{}
	defer transport.Close()
	defer conn.CloseWithError(http3NoError, "")
	client := transport.NewClientConn(conn)
	for round := range rounds {
		var open []*http3.RequestStream
		for range streams {
			stream, err := client.OpenRequestStream(t.Context())
			if err != nil {
				return true
			}
			open = append(open, stream)
			if errors.Join(stream.SendRequestHeader(newRequest(t, http.MethodGet, "https://shop.example/", nil)), stream.Close()) != nil {
				return true
			}
		}
		eventually(t, "the round to be over", func() bool { return over(round) || conn.Context().Err() != nil })
		for _, stream := range open {
			stream.CancelRead(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
			stream.CancelWrite(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
		}
	}
	return false
}

// Resets that come before the request does cost little, and those that come after it end the connection.
func TestHTTP3_resetFlood(t *testing.T) {
	r, addr := http3Rig(t, slowly)
	var reached atomic.Int64
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/honest" {
			fmt.Fprint(w, name)
			return
		}
		reached.Add(1)
		<-q.Context().Done()
	})
	bounded(t, r, func() { flood(t, addr, 5000, 1, func(int) bool { return true }) })
	r.expectMetric(`limpet_connections_refused_total{reason="flood"}`, 0)
	before := reached.Load()
	bounded(t, r, func() {
		const each = 50
		if !flood(t, addr, 1000, each, func(round int) bool { return reached.Load() >= before+int64(each*(round+1)) }) {
			t.Error("the flood continues")
		}
	})
	r.expectMetric(`limpet_connections_refused_total{reason="flood"}`, 1)
}

func TestShutdown_underLoadHTTP3(t *testing.T) {
	r, addr := http3Rig(t)
	r.serve(cookieAffinity(), startEcho(t, "pod-a"), startEcho(t, "pod-b"))
	var answered atomic.Int64
	var clients sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 4 {
		c := http3Client(t)
		for range 2 {
			clients.Go(func() {
				err := postOn(ctx, t, c, "https://"+addr+"/", &answered)
				// The request was rejected before a pod got it, or the server is gone.
				if rejected := new(http3.Error); errors.As(err, &rejected) && rejected.ErrorCode != http3.ErrCodeRequestRejected &&
					rejected.ErrorCode != http3.ErrCodeNoError {
					t.Errorf("after %d requests: %v", answered.Load(), err)
				}
			})
		}
	}
	eventually(t, "some load", func() bool { return answered.Load() > 200 })
	stopped := r.stop(t.Context())
	expectStopped(t, stopped, nil)
	cancel()
	clients.Wait()
}

func TestShutdown_http3(t *testing.T) {
	r, addr := http3Rig(t)
	begun, end := make(chan struct{}), make(chan struct{})
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/slow" {
			close(begun)
			<-end
		}
		fmt.Fprint(w, name)
	})
	do(t, http3Client(t), newRequest(t, http.MethodGet, "https://"+addr+"/", nil))
	got := make(chan string, 1)
	go func() {
		answer, err := http3Client(t).Do(newRequest(t, http.MethodGet, "https://"+addr+"/slow", nil))
		if err != nil {
			got <- err.Error()
			return
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		got <- string(body)
	}()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	stopped := r.stop(ctx)
	eventually(t, "the idle connection to be closed", func() bool { return r.server.admission.open.Load() == 1 })
	close(end)
	if body := <-got; body != "cart-0" {
		t.Errorf("the request that had begun ended with %q", body)
	}
	expectStopped(t, stopped, nil)
}
