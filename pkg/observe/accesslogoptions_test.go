package observe

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// Lines of different connections must be in the order in which requests ended, over several writes, too.
func TestAccessLog_timeOrder(t *testing.T) {
	var out lines
	log := NewAccessLog(&out, AccessLogOptions{JSON: true})
	a := sample()
	a.Took = 0
	const all = 5000 // more than fits one shard
	for i := range all {
		a.Start, a.Path = a.Start.Add(time.Millisecond), fmt.Appendf(nil, "/%d", i)
		log.Write(uint32(i*7%13), &a)
	}
	log.Close()
	got := out.all()
	if len(got) != all {
		t.Fatalf("%d lines, want %d", len(got), all)
	}
	for i, line := range got {
		if !strings.Contains(line, fmt.Sprintf(`"path":"/%d"`, i)) {
			t.Fatalf("line %d is %s", i, line)
		}
	}
}

func TestAccessLog_selectedFields(t *testing.T) {
	for _, c := range []struct{ fields, want string }{
		{"path,status", `{"path":"/cart","status":200}`},
		{"status,path", `{"path":"/cart","status":200}`},
		{"traceId", `{"traceId":"01000000000000000000000000000000"}`},
		{"detail", `{}`},
		{"reason,time", `{"time":"2026-01-02T03:04:05.6789Z","reason":"gone"}`},
	} {
		fields, err := ParseAccessFields(strings.Split(c.fields, ","))
		if err != nil {
			t.Fatal(err)
		}
		var out lines
		log := NewAccessLog(&out, AccessLogOptions{JSON: true, Fields: fields})
		a := sample()
		a.TraceID[0] = 1
		log.Write(0, &a)
		log.Close()
		if got := out.text.String(); got != c.want+"\n" {
			t.Errorf("%s: %s", c.fields, got)
		}
	}
	if _, err := ParseAccessFields([]string{"path", "cookie"}); err == nil {
		t.Error("an unknown field is accepted")
	}
}

// The names of fields must be those of the line, each with its own bit.
func TestAccessFields_namesMatchLines(t *testing.T) {
	a := Access{Scheme: "https", BytesIn: 1, Closed: true, Failure: FailureReset, Reason: affinity.ReasonGone, Detail: "x", Generated: true,
		StrippedUpgrade: []byte("h2c"), TraceID: [16]byte{1}}
	for _, name := range AccessFieldNames() {
		set, err := ParseAccessFields([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(appendJSON(nil, &a, set), &fields); err != nil || len(fields) != 1 || fields[name] == nil {
			t.Errorf("%s: %v, %v", name, fields, err)
		}
	}
}

// Requests that failed are always logged.
func TestAccessLog_samples(t *testing.T) {
	var out lines
	log := NewAccessLog(&out, AccessLogOptions{JSON: true, OmitRatio: 0.75})
	served, failed, reset := sample(), sample(), sample()
	failed.Status, reset.Failure = 503, FailureReset
	const each = 4000
	for range each {
		log.Write(0, &served)
		log.Write(0, &failed)
		log.Write(0, &reset)
	}
	log.Close()
	if n := len(out.all()) - 2*each; n < each/5 || n > each/3 {
		t.Errorf("%d of %d requests and all that failed are logged", n, each)
	}
}
