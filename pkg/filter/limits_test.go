package filter

import (
	"math"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestLimits_apply(t *testing.T) {
	usual := Limits{ResponseTimeout: 1, ConnectTimeout: 2, BodyTimeout: 3, BodyBytes: 4, Attempts: 5}
	for _, c := range []struct {
		route model.Limits
		want  Limits
	}{
		{model.Limits{}, usual},
		{
			model.Limits{
				ResponseTimeout: time.Second, ConnectTimeout: time.Minute, BodyTimeout: time.Hour, MaxBodyBytes: 7, MaxAttempts: 1,
			},
			Limits{ResponseTimeout: time.Second, ConnectTimeout: time.Minute, BodyTimeout: time.Hour, BodyBytes: 7, Attempts: 1},
		},
		{model.Limits{MaxBodyBytes: model.NoBound}, Limits{1, 2, 3, math.MaxInt64, 5, 0, 0, false}},
		{
			model.Limits{RetryTimeout: time.Second, RetryStatuses: 3, RetriesUnsafe: true},
			Limits{1, 2, 3, 4, 5, time.Second, 3, true},
		},
	} {
		got := usual
		if got.Apply(&c.route); got != c.want {
			t.Errorf("%+v: got %+v", c.route, got)
		}
	}
}

func TestRouteLimits_body(t *testing.T) {
	for _, c := range []struct {
		route  *model.Limits
		length string
		status int
	}{
		{nil, "100", 0}, {nil, "101", 413},
		{&model.Limits{MaxBodyBytes: 10}, "11", 413}, {&model.Limits{MaxBodyBytes: 1000}, "1000", 0},
		{&model.Limits{MaxBodyBytes: model.NoBound}, "123456789", 0},
	} {
		r := requestFor(t, "Content-Length: "+c.length)
		got := NewRouteLimits(c.route).(RequestFilter).FilterRequest(r)
		if statusOf(got) != c.status || got != nil && !got.Close {
			t.Errorf("%+v, %s bytes: got %+v", c.route, c.length, got)
		}
	}
}
