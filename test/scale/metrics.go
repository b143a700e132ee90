package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// exposition is the text of a metrics endpoint.
type exposition []byte

// metrics scrapes the replica.
func (r *replica) metrics() (exposition, error) {
	response, err := local.Get("http://" + r.admin + "/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("/metrics responds with status %d", response.StatusCode)
	}
	return io.ReadAll(response.Body)
}

// series returns the number of samples.
func (e exposition) series() int {
	n := 0
	for line := range bytes.Lines(e) {
		if line[0] != '#' && line[0] != '\n' {
			n++
		}
	}
	return n
}

// sum returns the sum of the samples of a metric that have all of these labels, each as name="value".
func (e exposition) sum(metric string, labels ...string) float64 {
	total := 0.0
	for line := range bytes.Lines(e) {
		rest, found := strings.CutPrefix(string(line), metric)
		if !found || rest[0] != '{' && rest[0] != ' ' || !hasAll(rest, labels) {
			continue
		}
		at := strings.LastIndexByte(strings.TrimSpace(rest), ' ')
		value, err := strconv.ParseFloat(strings.TrimSpace(rest[at+1:]), 64)
		if err == nil {
			total += value
		}
	}
	return total
}

func hasAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// apiRequests counts requests to the API server of the kinds that Limpet sends. Watches are those that are open.
type apiRequests struct{ lists, watches, statuses, events float64 }

// read are the resources that Limpet reads.
var read = []string{"ingresses", "ingressclasses", "services", "endpointslices", "secrets", "pods", "affinitypolicies"}

// apiRequests returns the requests that the API server has received so far, from Limpet and others.
func (b *bench) apiRequests(ctx context.Context) (apiRequests, error) {
	text, err := b.fleet.api.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return apiRequests{}, err
	}
	// Most lines of the text are of other metrics.
	const metric, open = "apiserver_request_total", "apiserver_longrunning_requests"
	var own exposition
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte(metric)) || bytes.HasPrefix(line, []byte(open)) {
			own = append(own, line...)
		}
	}
	a := apiRequests{
		statuses: own.sum(metric, `verb="PATCH"`, `subresource="status"`),
		events:   own.sum(metric, `verb="POST"`, `resource="events"`),
	}
	for _, resource := range read {
		a.lists += own.sum(metric, `verb="LIST"`, `resource="`+resource+`"`)
		a.watches += own.sum(open, `verb="WATCH"`, `resource="`+resource+`"`)
	}
	return a, nil
}

func (a apiRequests) since(before apiRequests) apiRequests {
	return apiRequests{a.lists - before.lists, a.watches - before.watches, a.statuses - before.statuses, a.events - before.events}
}
