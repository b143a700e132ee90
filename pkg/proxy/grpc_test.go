package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// asText is a codec of messages that are strings: the tests need no protocol buffers.
type asText struct{}

func (asText) Marshal(v any) ([]byte, error)      { return []byte(*v.(*string)), nil }
func (asText) Unmarshal(data []byte, v any) error { *v.(*string) = string(data); return nil }
func (asText) Name() string                       { return "text" }

// startGRPC runs a pod with a method for each shape of call, and returns its address.
func startGRPC(t *testing.T, name string) string {
	t.Helper()
	l := loopback(t)
	server := grpc.NewServer(grpc.ForceServerCodec(asText{}), grpc.UnknownServiceHandler(
		func(_ any, stream grpc.ServerStream) error { return answerCall(name, stream) }))
	go server.Serve(l)
	t.Cleanup(server.Stop)
	return l.Addr().String()
}

func answerCall(name string, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	stream.SetTrailer(metadata.Pairs("served-by", name))
	say := func(text string) error { return stream.SendMsg(&text) }
	var got string
	switch method {
	case "/shop.Cart/Fail":
		return status.Error(codes.NotFound, "no such basket")
	case "/shop.Cart/Deadline":
		deadline, ok := stream.Context().Deadline()
		return say(fmt.Sprint(ok, time.Until(deadline).Round(time.Hour)))
	case "/shop.Cart/Watch":
		for i := range 3 {
			if err := say(fmt.Sprint("event ", i)); err != nil {
				return err
			}
		}
		return nil
	case "/shop.Cart/Fill":
		var all []string
		for {
			if err := stream.RecvMsg(&got); err == io.EOF {
				return say(strings.Join(all, " "))
			} else if err != nil {
				return err
			}
			all = append(all, got)
		}
	}
	for { // Unary, and Talk
		if err := stream.RecvMsg(&got); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := say("echo " + got); err != nil {
			return err
		}
	}
}

// grpcRig is a rig whose pods speak gRPC, and a client of it.
func grpcRig(t *testing.T, a *model.Affinity, pods int) *grpc.ClientConn {
	t.Helper()
	r := newRig(t)
	return r.grpc(t, a, pods)
}

func (r *rig) grpc(t *testing.T, a *model.Affinity, pods int) *grpc.ClientConn {
	t.Helper()
	var addresses []string
	for i := range pods {
		addresses = append(addresses, startGRPC(t, fmt.Sprint("cart-", i)))
	}
	r.serveBy(model.Transport{HTTP2: true}, a, addresses...)
	conn, err := grpc.NewClient("passthrough:///"+r.addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(asText{})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func call(t *testing.T, conn *grpc.ClientConn, method string, send ...string) (grpc.ClientStream, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/shop.Cart/"+method)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range send {
		if err := stream.SendMsg(&text); err != nil {
			t.Fatal(err)
		}
	}
	return stream, cancel
}

func expectMessages(t *testing.T, stream grpc.ClientStream, want ...string) {
	t.Helper()
	var got string
	for _, text := range want {
		if err := stream.RecvMsg(&got); err != nil || got != text {
			t.Fatalf("got %q, %v; want %q", got, err, text)
		}
	}
	if err := stream.RecvMsg(&got); err != io.EOF {
		t.Fatalf("after the last message: %q, %v", got, err)
	}
}

func TestGRPC_everyKindOfCall(t *testing.T) {
	conn := grpcRig(t, nil, 1)
	for name, c := range map[string]struct{ send, want []string }{
		"Unary": {[]string{"hello"}, []string{"echo hello"}},
		"Watch": {nil, []string{"event 0", "event 1", "event 2"}},
		"Fill":  {[]string{"a", "b", "c"}, []string{"a b c"}},
	} {
		stream, cancel := call(t, conn, name, c.send...)
		stream.CloseSend()
		expectMessages(t, stream, c.want...)
		if by := stream.Trailer().Get("served-by"); len(by) != 1 || by[0] != "cart-0" {
			t.Errorf("%s: trailers %v", name, stream.Trailer())
		}
		cancel()
	}
}

func TestGRPC_bidirectional(t *testing.T) {
	stream, cancel := call(t, grpcRig(t, nil, 1), "Talk")
	defer cancel()
	var got string
	for i := range 100 {
		text := strings.Repeat("x", i*1000)
		if err := stream.SendMsg(&text); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(&got); err != nil || got != "echo "+text {
			t.Fatalf("turn %d: %d bytes, %v", i, len(got), err)
		}
	}
	stream.CloseSend()
	expectMessages(t, stream)
}

func TestGRPC_trailersOnly(t *testing.T) {
	stream, cancel := call(t, grpcRig(t, nil, 1), "Fail")
	defer cancel()
	stream.CloseSend()
	err := stream.RecvMsg(new(string))
	if status.Code(err) != codes.NotFound || status.Convert(err).Message() != "no such basket" {
		t.Errorf("got %v", err)
	}
}

func TestGRPC_deadline(t *testing.T) {
	stream, cancel := call(t, grpcRig(t, nil, 1), "Deadline")
	defer cancel()
	stream.CloseSend()
	expectMessages(t, stream, "true 2h0m0s")
}

func TestGRPC_metadataAffinity(t *testing.T) {
	conn := grpcRig(t, affinityBy(headerMethod("session-id")), 3)
	used := map[string]bool{}
	for session := range 30 {
		first := ""
		for range 5 {
			ctx := metadata.AppendToOutgoingContext(t.Context(), "session-id", fmt.Sprint("session-", session))
			var trailer metadata.MD
			var got string
			text := "hello"
			if err := conn.Invoke(ctx, "/shop.Cart/Unary", &text, &got, grpc.Trailer(&trailer)); err != nil {
				t.Fatal(err)
			}
			by := trailer.Get("served-by")[0]
			if first == "" {
				first = by
			}
			if by != first {
				t.Fatalf("session %d moved from %s to %s", session, first, by)
			}
			used[by] = true
		}
	}
	if len(used) != 3 {
		t.Errorf("%d pods were used, want 3", len(used))
	}
}

func TestGRPC_cancelFreesPod(t *testing.T) {
	r := newRig(t)
	address := startGRPC(t, "cart-0")
	r.serveBy(model.Transport{HTTP2: true}, nil, address)
	conn, err := grpc.NewClient("passthrough:///"+r.addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(asText{})))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, cancel := call(t, conn, "Talk", "hello")
	if err := stream.RecvMsg(new(string)); err != nil {
		t.Fatal(err)
	}
	pod := r.pools.Pool(cart).Set().Endpoint(0)
	if pod.InFlight() != 1 {
		t.Fatalf("%d requests are in flight", pod.InFlight())
	}
	cancel()
	eventually(t, "the pod to be free", func() bool { return pod.InFlight() == 0 })
}

// A long call counts as a stream. Shutdown ends it on both sides: the client gets an error, and the pod a cancellation.
func TestShutdown_longGRPCCall(t *testing.T) {
	r := newRig(t, lasting)
	stream, cancel := call(t, r.grpc(t, nil, 1), "Talk")
	defer cancel()
	text, got := "hello", ""
	eventually(t, "the call to be a stream", func() bool {
		if err := errors.Join(stream.SendMsg(&text), stream.RecvMsg(&got)); err != nil {
			t.Fatal(err)
		}
		return r.streams(observe.StreamGRPC) == 1
	})
	pod := r.pools.Pool(cart).Set().Endpoint(0)
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	stopped := r.stop(ctx)
	if err := stream.RecvMsg(&got); err == nil || err == io.EOF || status.Code(err) == codes.DeadlineExceeded {
		t.Errorf("the call ends with %v", err)
	}
	expectStopped(t, stopped, nil)
	eventually(t, "the pod to be free", func() bool { return pod.InFlight() == 0 })
}
