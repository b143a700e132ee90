package proxy

import (
	"io"
	"net/http"
	"testing"
	"time"
)

// Heads that are never completed must not use up the memory budget, at the expense of clients that send whole requests.
func TestMemory_slowHeadsEndedWhenTight(t *testing.T) {
	budget, bounded := withBudget(mebi)
	r := newRig(t, bounded, func(o *Options) { o.Timeouts.Head = time.Hour })
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })
	var slow []*caller
	for range 100 { // far more than fit in the budget
		c := r.dial()
		c.send("GET / HTTP/1.1\r\nHost: shop.example\r\nX-Slow: ")
		slow = append(slow, c)
	}
	slow[0].read("GET").expectStatus(t, http.StatusRequestTimeout)
	eventually(t, "memory for new requests", func() bool { return !budget.Full() })
	r.dial().get("/").expectStatus(t, http.StatusOK)
}
