package observe

import (
	"net/http"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

func TestCounts_ofPoolsAndAll(t *testing.T) {
	m := NewMetrics()
	cart, other := model.PoolID{Namespace: "shop", Service: "cart", Port: 80}, model.PoolID{Namespace: "shop", Service: "other", Port: 80}
	m.Attach(0, cart)
	m.Attach(1, other)
	m.Pool(0).Request(http.StatusOK, time.Millisecond)
	m.Pool(0).Request(http.StatusBadGateway, time.Millisecond)
	m.Pool(0).Decision(affinity.OutcomeMoved, affinity.ReasonGone)
	m.Pool(0).Retry()
	m.Pool(0).Failure(FailureReset)
	m.NoRoute.Request(http.StatusNotFound, time.Millisecond)
	c, isOwn := m.PoolCounts(0)
	if !isOwn || c.Requests != 2 || c.Errors != 1 || c.Retries != 1 || c.Failures != 1 || c.Moved() != 1 {
		t.Errorf("counts of the pool: %+v, own: %v", c, isOwn)
	}
	if _, isOwn := m.PoolCounts(1); isOwn {
		t.Error("a pool without traffic has counts")
	}
	if _, isOwn := m.PoolCounts(7); isOwn {
		t.Error("a slot without a pool has counts")
	}
	if all := m.AllCounts(); all.Requests != 3 || all.Errors != 1 || all.Moved() != 1 {
		t.Errorf("counts of all: %+v", all)
	}
	m.Detach(cart)
	if _, isOwn := m.PoolCounts(0); isOwn {
		t.Error("a removed pool has counts")
	}
	if all := m.AllCounts(); all.Requests != 3 || all.Retries != 1 || all.Failures != 1 || all.Moved() != 1 {
		t.Errorf("counts of all without the pool: %+v", all)
	}
}

func TestCounts_notByPoolWithFewerDetails(t *testing.T) {
	m := NewMetricsWith(MetricsOptions{Detail: DetailNamespace})
	m.Attach(0, model.PoolID{Namespace: "shop", Service: "cart", Port: 80})
	m.Pool(0).Request(http.StatusOK, time.Millisecond)
	if _, isOwn := m.PoolCounts(0); isOwn {
		t.Error("a pool has the counts of its namespace")
	}
	if all := m.AllCounts(); all.Requests != 1 {
		t.Errorf("counts of all: %+v", all)
	}
}
