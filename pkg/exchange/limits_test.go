package exchange

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
)

func TestDialer_routeTimeout(t *testing.T) {
	e := NewEngine(Config{Timeouts: DefaultTimeouts(), Metrics: observe.NewMetrics()})
	var x Exchange
	x.request.begin(&Connection{Engine: e})
	if got := x.dialer(); got != &e.dialer || got.Timeout != e.Timeouts.Dial {
		t.Errorf("without a timeout of the route the timeout is %s", got.Timeout)
	}
	x.view.Limits.Apply(&model.Limits{ConnectTimeout: time.Second})
	if got := x.dialer(); got.Timeout != time.Second || e.dialer.Timeout == time.Second {
		t.Errorf("got %s, and %s for other routes", got.Timeout, e.dialer.Timeout)
	}
}
