//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	cartHost  = "cart.example.com"
	shoppers  = 200
	thinkTime = 500 * time.Millisecond
)

// transport is shared, because sessions do not depend on connections.
var transport = &http.Transport{MaxIdleConnsPerHost: shoppers, IdleConnTimeout: 30 * time.Second}

// shopper is a client that adds an item to its basket twice a second.
type shopper struct {
	address string
	host    string
	http    *http.Client
	ledger  *ledger
	asked   atomic.Int64

	pod   atomic.Value // name of the pod of the last response
	items int          // number of items in the last response
}

func newShopper(t *testing.T, address string, ledger *ledger) *shopper {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &shopper{
		address: address, host: cartHost, ledger: ledger, http: &http.Client{Jar: jar, Transport: transport, Timeout: 30 * time.Second},
	}
}

// shop sends requests until ctx is done. A started request is completed.
func (s *shopper) shop(ctx context.Context) {
	for {
		s.add(context.WithoutCancel(ctx))
		select {
		case <-ctx.Done():
			return
		case <-time.After(thinkTime):
		}
	}
}

func (s *shopper) add(ctx context.Context) {
	defer s.asked.Add(1)
	basket, err := s.ask(ctx, http.MethodPost, "/add")
	if err != nil {
		s.ledger.fail(err)
		return
	}
	s.ledger.request()
	lost := basket.Items != s.items+1
	before, known := s.pod.Swap(basket.Pod).(string)
	if known && (basket.Pod != before || lost) {
		s.ledger.moved(move{at: time.Now(), from: before, lost: lost})
	}
	s.items = basket.Items
}

// basket is the response of test/cart.
type basket struct {
	Pod   string `json:"pod"`
	Items int    `json:"items"`
}

func (s *shopper) ask(ctx context.Context, method, path string) (basket, error) {
	var b basket
	r, err := http.NewRequestWithContext(ctx, method, "http://"+s.address+path, nil)
	if err != nil {
		return b, err
	}
	r.Host = s.host
	resp, err := s.http.Do(r)
	if err != nil {
		return b, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return b, fmt.Errorf("status %d", resp.StatusCode)
	}
	return b, json.NewDecoder(resp.Body).Decode(&b)
}

// crowd is the set of running shoppers and watchers.
type crowd struct {
	shoppers []*shopper
	end      context.CancelFunc
	ended    sync.WaitGroup
}

func newCrowd(t *testing.T, address string, ledger *ledger) *crowd {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &crowd{end: cancel}
	for range shoppers {
		s := newShopper(t, address, ledger)
		c.shoppers = append(c.shoppers, s)
		c.ended.Go(func() { s.shop(ctx) })
	}
	for i := range streams {
		w := &watcher{shopper: newShopper(t, address, ledger), open: openEvents}
		if i%2 == 1 {
			w.open = openSocket
		}
		c.ended.Go(func() { w.watch(ctx) })
	}
	return c
}

// leave stops all clients.
func (c *crowd) leave() {
	c.end()
	c.ended.Wait()
}

// favourite returns the pod with the most shoppers.
func (c *crowd) favourite() (pod string) {
	with := c.pods()
	for at, n := range with {
		if n > with[pod] {
			pod = at
		}
	}
	return pod
}

// pods returns the number of shoppers of each pod.
func (c *crowd) pods() map[string]int {
	with := map[string]int{}
	for _, s := range c.shoppers {
		at, _ := s.pod.Load().(string)
		with[at]++
	}
	return with
}

// everyoneAsks waits until each shopper has got the response to a request sent after the call.
func (c *crowd) everyoneAsks(t *testing.T) {
	t.Helper()
	var before []int64
	for _, s := range c.shoppers {
		before = append(before, s.asked.Load())
	}
	eventually(t, func(context.Context) error {
		for i, s := range c.shoppers {
			if s.asked.Load() < before[i]+2 {
				return fmt.Errorf("shopper %d has not sent another request", i)
			}
		}
		return nil
	})
}
