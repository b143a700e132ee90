package admin

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// jwt returns a token with claims and without a valid signature.
func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

const claims = `{"aud":["limpet.dev"],"exp":4102444800,"sub":"%s"}`

// reviews returns Reviews that count their lookups.
func reviews(caller Caller, err *error) (v *Reviews, asked *atomic.Int32) {
	asked = new(atomic.Int32)
	return &Reviews{Audience: "limpet.dev", Lookup: func(context.Context, string) (Caller, error) {
		asked.Add(1)
		if err != nil && *err != nil {
			return Caller{}, *err
		}
		return caller, nil
	}}, asked
}

func TestReviews_askOnlyAboutCandidates(t *testing.T) {
	for name, c := range map[string]struct {
		token string
		asks  bool
	}{
		"list of audiences": {jwt(`{"aud":["other","limpet.dev"],"exp":4102444800}`), true},
		"one audience":      {jwt(`{"aud":"limpet.dev","exp":4102444800}`), true},
		"other audience":    {jwt(`{"aud":"https://kubernetes.default.svc","exp":4102444800}`), false},
		"no audience":       {jwt(`{"exp":4102444800}`), false},
		"expired":           {jwt(`{"aud":"limpet.dev","exp":1600000000}`), false},
		"no expiry":         {jwt(`{"aud":"limpet.dev"}`), false},
		"invalid claims":    {jwt(`{"aud":{},"exp":"x"}`), false},
		"not base64":        {"a.!.c", false},
		"opaque":            {"0123456789abcdef", false},
		"too long":          {jwt(`{"aud":"limpet.dev","exp":4102444800,"x":"` + strings.Repeat("x", maxReviewed) + `"}`), false},
	} {
		v, asked := reviews(Caller{Name: "jane", Read: true}, nil)
		caller, err := v.Review(t.Context(), c.token)
		if err != nil || (asked.Load() == 1) != c.asks || caller.Read != c.asks {
			t.Errorf("%s: got %+v, %v after asking %d times", name, caller, err, asked.Load())
		}
	}
}

func TestReviews_resultCountsForSeconds(t *testing.T) {
	v, asked := reviews(Caller{Name: "jane", Read: true}, nil)
	now := time.Now()
	v.now = func() time.Time { return now }
	token := jwt(`{"aud":"limpet.dev","exp":4102444800}`)
	review := func(want int32) {
		t.Helper()
		if caller, err := v.Review(t.Context(), token); err != nil || !caller.Read || asked.Load() != want {
			t.Errorf("got %+v, %v after asking %d times, want %d", caller, err, asked.Load(), want)
		}
	}
	review(1)
	now = now.Add(reviewLifetime - time.Second)
	review(1)
	now = now.Add(time.Second)
	review(2)
}

func TestReviews_failureIsNotRemembered(t *testing.T) {
	failed := errors.New("the API server is unavailable")
	v, asked := reviews(Caller{Name: "jane", Read: true}, &failed)
	token := jwt(`{"aud":"limpet.dev","exp":4102444800}`)
	if caller, err := v.Review(t.Context(), token); err == nil || caller.Read {
		t.Errorf("got %+v, %v", caller, err)
	}
	failed = nil
	if caller, err := v.Review(t.Context(), token); err != nil || !caller.Read || asked.Load() != 2 {
		t.Errorf("after the failure: got %+v, %v", caller, err)
	}
}

// A panic of one review is not an outage for later requests with that token.
func TestReviews_panicEndsTheReview(t *testing.T) {
	calls := 0
	v := &Reviews{Audience: "limpet.dev", Lookup: func(context.Context, string) (Caller, error) {
		if calls++; calls == 1 {
			panic("lookup")
		}
		return Caller{Name: "jane", Read: true}, nil
	}}
	token := jwt(fmt.Sprintf(claims, "jane"))
	func() {
		defer func() { _ = recover() }()
		_, _ = v.Review(t.Context(), token)
	}()
	if caller, err := v.Review(t.Context(), token); err != nil || caller.Name != "jane" {
		t.Errorf("%+v, %v", caller, err)
	}
}

func TestReviews_areBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, asked := reviews(Caller{}, nil)
		for i := range 3 * maxReviews {
			if _, err := v.Review(t.Context(), jwt(fmt.Sprintf(claims, fmt.Sprint(i)))); err != nil {
				t.Fatal(err)
			}
		}
		if len(v.results) > maxReviews || asked.Load() != 3*maxReviews {
			t.Errorf("%d results are kept", len(v.results))
		}
	})
}

// The API server does not respond. Requests fail after a bounded time, and few of them wait for it.
func TestReviews_outageIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asking, most atomic.Int32
		v := &Reviews{Audience: "limpet.dev", Lookup: func(ctx context.Context, _ string) (Caller, error) {
			most.Store(max(most.Load(), asking.Add(1)))
			defer asking.Add(-1)
			<-ctx.Done()
			return Caller{}, ctx.Err()
		}}
		start := time.Now()
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				if caller, err := v.Review(t.Context(), jwt(fmt.Sprintf(claims, fmt.Sprint(i)))); err == nil || caller.Read {
					t.Errorf("got %+v, %v", caller, err)
				}
			})
		}
		all.Wait()
		if d := time.Since(start); d > reviewTimeout || most.Load() > concurrentReviews {
			t.Errorf("it took %v, with %d reviews at the same time", d, most.Load())
		}
		if len(v.results) != 0 {
			t.Errorf("%d failures are remembered", len(v.results))
		}
	})
}

func TestReviews_oneReviewForConcurrentRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		proceed := make(chan struct{})
		v := &Reviews{Audience: "limpet.dev", Lookup: func(context.Context, string) (Caller, error) {
			asked.Add(1)
			<-proceed
			return Caller{Name: "jane", Read: true}, nil
		}}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if caller, err := v.Review(t.Context(), jwt(fmt.Sprintf(claims, "jane"))); err != nil || !caller.Read {
					t.Errorf("got %+v, %v", caller, err)
				}
			})
		}
		synctest.Wait() // until all wait for the first one
		close(proceed)
		all.Wait()
		if asked.Load() != 1 {
			t.Errorf("asked %d times", asked.Load())
		}
	})
}

func TestHandler_reviewFailsClosed(t *testing.T) {
	ready := true
	for name, c := range map[string]struct {
		caller Caller
		err    error
		want   int
	}{
		"reader":         {Caller{Name: "jane", Read: true}, nil, http.StatusOK},
		"without rights": {Caller{Name: "jane"}, nil, http.StatusForbidden},
		"unknown":        {Caller{}, nil, http.StatusUnauthorized},
		"outage":         {Caller{Name: "jane", Read: true}, errors.New("no response"), http.StatusServiceUnavailable},
	} {
		o := testOptions(&ready)
		o.Access = Access{Review: func(context.Context, string) (Caller, error) { return c.caller, c.err }}
		if status := request(t, New(o).Handler(), "10.1.2.3:5000", "/debug/table", "Bearer x"); status != c.want {
			t.Errorf("%s: status %d, want %d", name, status, c.want)
		}
	}
}
