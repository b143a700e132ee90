package filter

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

func TestHeaders(t *testing.T) {
	f := NewHeaders(&model.HeaderChanges{
		Request:  []model.HeaderField{{Name: "X-Tenant", Value: "shop"}},
		Response: []model.HeaderField{{Name: "X-Frame-Options", Value: "DENY"}, {Name: "X-Powered-By"}},
	}).(*Headers)
	var head http1.Response
	for _, name := range []string{"x-frame-options", "X-FRAME-OPTIONS", "x-powered-by"} {
		head.Add([]byte(name), []byte("app"))
	}
	r := requestFor(t)
	f.FilterResponse(r, &head)
	if got := valueOf(t, &head, "X-Frame-Options"); got != "DENY" {
		t.Errorf("X-Frame-Options is %q", got)
	}
	if got := valueOf(t, &head, "X-Powered-By"); got != "" {
		t.Errorf("X-Powered-By is %q", got)
	}
	f.FilterRequest(r)
	r.SetField([]byte("X-More"), nil)
	again := requestFor(t)
	f.FilterRequest(again)
	if len(r.ForwardFields()) != 2 || len(again.ForwardFields()) != 1 {
		t.Errorf("fields %q, then %q", r.ForwardFields(), again.ForwardFields())
	}
}

func TestHeaders_allocations(t *testing.T) {
	f := NewHeaders(&model.HeaderChanges{
		Request: []model.HeaderField{{Name: "X-A", Value: "1"}}, Response: []model.HeaderField{{Name: "X-B", Value: "1"}},
	}).(*Headers)
	r := requestFor(t)
	var head http1.Response
	head.Fields = make([]http1.Field, 0, 8)
	if n := testing.AllocsPerRun(100, func() {
		head.Fields, r.fields = head.Fields[:0], r.fields[:0]
		f.FilterRequest(r)
		f.FilterResponse(r, &head)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
