package filter

import "fmt"

// Detail is one decision of a filter about a described request, or an action that it would take for a real one.
type Detail struct {
	// Setting is the name of the annotation of Limpet for it, without the prefix.
	Setting string
	// Text describes the decision. It may be empty.
	Text string
}

// Describer is implemented by filters that explain their decision.
type Describer interface {
	Filter
	// Describe returns the decision about a described request. It sends and counts nothing.
	Describe(r *Request) []Detail
}

// describedCheck is an AccessCheck that explains its decision.
type describedCheck interface {
	describe(r *Request) Detail
}

// Describe implements Describer.
func (f *Access) Describe(r *Request) (details []Detail) {
	for _, check := range f.checks {
		if check, ok := check.(describedCheck); ok {
			details = append(details, check.describe(r))
		}
	}
	if f.satisfiesAny {
		details = append(details, Detail{"satisfy", "one of the checks suffices"})
	}
	return details
}

func (f *Addresses) describe(r *Request) Detail {
	decision, _ := f.CheckAccess(r)
	switch {
	case decision == AccessGranted:
		return Detail{"allow-source-range", "admits " + r.ClientIP.String()}
	case decision == AccessUndecided:
		return Detail{"deny-source-range", "does not refuse " + r.ClientIP.String()}
	case containsAddress(f.list.Deny, r.ClientIP.Unmap()):
		return Detail{"deny-source-range", "refuses " + r.ClientIP.String()}
	}
	return Detail{"allow-source-range", "refuses " + r.ClientIP.String()}
}

func (f *BasicAuth) describe(r *Request) Detail  { return describeCredentials(f, r) }
func (f *DigestAuth) describe(r *Request) Detail { return describeCredentials(f, r) }

func describeCredentials(check AccessCheck, r *Request) Detail {
	if decision, resp := check.CheckAccess(r); decision != AccessGranted {
		return Detail{"auth-type", fmt.Sprintf("refuses the credentials: %d", resp.Status)}
	}
	return Detail{"auth-type", "admits the credentials"}
}

func (failedCheck) describe(*Request) Detail {
	return Detail{"auth-secret", "refuses all requests, because the list of users cannot be read"}
}

func (f *ExternalAuth) describe(r *Request) Detail {
	if f.model.Unavailable != "" {
		return Detail{"auth-url", "refuses all requests, because " + f.model.Unavailable}
	}
	s, err := f.subrequest(r)
	if err != nil {
		return Detail{"auth-url", "refuses the request: " + err.Error()}
	}
	return Detail{"auth-url", fmt.Sprintf("decides by %s %s, which was not sent", s.Method, s.URL)}
}

// Describe implements Describer.
func (f *RateLimit) Describe(r *Request) (details []Detail) {
	if f.isExempt(r.ClientIP) {
		return []Detail{{"limit-allowlist", "exempts " + r.ClientIP.String()}}
	}
	add := func(setting string, count int, format string, args ...any) {
		if count > 0 {
			details = append(details, Detail{setting, fmt.Sprintf(format, args...) + "; this request was not counted"})
		}
	}
	m := f.model
	add("limit-rps", m.PerSecond, "%d per second, and a burst of %d", m.PerSecond, m.PerSecond*m.Burst)
	add("limit-rpm", m.PerMinute, "%d per minute, and a burst of %d", m.PerMinute, m.PerMinute*m.Burst)
	add("limit-connections", m.Connections, "%d at the same time", m.Connections)
	return details
}

// Describe implements Describer.
func (f *Mirror) Describe(r *Request) []Detail {
	return []Detail{{"mirror-target", fmt.Sprintf("copies to %s; no copy was sent", f.target(r))}}
}

// Describe implements Describer.
func (f *ClientCertificates) Describe(r *Request) []Detail {
	if f.required == nil {
		return nil
	}
	text := "requests a certificate of " + f.required.CA.String()
	if f.required.Required {
		text = "requires a certificate of " + f.required.CA.String()
	}
	if resp := f.FilterRequest(r); resp != nil {
		text += fmt.Sprintf("; responds %d", resp.Status)
	}
	return []Detail{{"client-ca", text}}
}

// Describe implements Describer.
func (f *RouteLimits) Describe(r *Request) []Detail {
	if f.model == nil || f.model.MaxBodyBytes == 0 {
		return nil
	}
	return []Detail{{"max-body-bytes", fmt.Sprintf("at most %d bytes", r.Limits.BodyBytes)}}
}

var (
	_ Describer = (*Access)(nil)
	_ Describer = (*RateLimit)(nil)
	_ Describer = (*Mirror)(nil)
	_ Describer = (*ClientCertificates)(nil)
	_ Describer = (*RouteLimits)(nil)
)
