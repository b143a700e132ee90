package translate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// The annotations of an Ingress that configure the ejection of pods. A policy with spec.ejection takes precedence.
const (
	// AnnotationEjectAfter is the number of consecutive failures. Zero disables ejection.
	AnnotationEjectAfter = annotationPrefix + "eject-after"
	// AnnotationEjectOn lists what counts as a failure besides failed connection attempts.
	AnnotationEjectOn = annotationPrefix + "eject-on"
	// AnnotationEjectTime is the time until the first probe.
	AnnotationEjectTime = annotationPrefix + "eject-time"
	// AnnotationEjectMaxPercent is the maximum share of the ready pods.
	AnnotationEjectMaxPercent = annotationPrefix + "eject-max-percent"
)

var ejectionAnnotations = []string{AnnotationEjectAfter, AnnotationEjectOn, AnnotationEjectTime, AnnotationEjectMaxPercent}

// Bounds of the settings.
const (
	maxFailures   = 1000
	minBackoff    = time.Second
	maxBackoff    = time.Hour
	maxMaxBackoff = 24 * time.Hour
)

// ejectStatuses are the statuses that may count as failures.
var ejectStatuses = []int{500, 502, 503, 504}

// ejectionSettings are the settings of an object, with the annotation that a policy overrides.
type ejectionSettings struct {
	model.Ejection
	key string
}

// readEjection returns the settings of the annotations, or nil without any. Invalid annotations are ignored.
func (r *annotationReader) readEjection() *ejectionSettings {
	i := slices.IndexFunc(ejectionAnnotations, func(key string) bool { _, set := r.annotations[key]; return set })
	if i < 0 {
		return nil
	}
	out := &ejectionSettings{model.DefaultEjection, ejectionAnnotations[i]}
	out.Failures = r.readWhole(AnnotationEjectAfter, 0, maxFailures, out.Failures)
	out.MaxPercent = r.readWhole(AnnotationEjectMaxPercent, 1, 100, out.MaxPercent)
	if text, set := r.annotations[AnnotationEjectTime]; set {
		value, err := time.ParseDuration(text)
		if err == nil && value >= minBackoff && value <= maxBackoff {
			out.Backoff, out.MaxBackoff = value, max(value, out.MaxBackoff)
		} else {
			r.invalidValue(AnnotationEjectTime, fmt.Sprintf("it must be a duration such as 30s, from %s to %s", minBackoff, maxBackoff))
		}
	}
	r.readEjectOn(&out.Ejection)
	if out.Failures == 0 {
		r.reportNoEjection()
	}
	return out
}

func (r *annotationReader) reportNoEjection() {
	for _, key := range ejectionAnnotations[1:] {
		if _, set := r.annotations[key]; set {
			r.report(ReasonNoEffect, key, "annotation %s has no effect, because %s is 0", key, AnnotationEjectAfter)
		}
	}
}

// readWhole returns a whole number in an annotation, and otherwise the default.
func (r *annotationReader) readWhole(key string, least, most, otherwise int32) int32 {
	text, set := r.annotations[key]
	if !set {
		return otherwise
	}
	number, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil || number < int64(least) || number > int64(most) {
		r.invalidValue(key, fmt.Sprintf("it must be a whole number from %d to %d", least, most))
		return otherwise
	}
	return int32(number)
}

func (r *annotationReader) readEjectOn(out *model.Ejection) {
	before := *out
	for _, field := range strings.Fields(r.annotations[AnnotationEjectOn]) {
		status, err := strconv.Atoi(field)
		switch {
		case field == "reset":
			out.OnReset = true
		case field == "timeout":
			out.OnTimeout = true
		case err == nil && slices.Contains(ejectStatuses, status):
			out.Statuses, _ = out.Statuses.With(status)
		default:
			r.invalidValue(AnnotationEjectOn, "it must be a list of reset, timeout, 500, 502, 503 and 504, separated by spaces")
			*out = before
			return
		}
	}
}

// setEjection sets how sick pods of the backend are handled.
func (b *builder) setEjection(t *translation, backend *model.Backend) {
	if t.ejection == nil {
		return
	}
	if backend.Affinity != nil && backend.Affinity.Ejection != nil {
		b.reports.add(t.ref, ReasonNoEffect, annotationField(t.ejection.key),
			"annotation %s has no effect on %s, because the policy of the backend sets spec.ejection", t.ejection.key, backend.Pool)
		return
	}
	settings := t.ejection.Ejection
	backend.Ejection = &settings
}

// ejection returns the settings of a policy, or nil without any.
func (c *compiler) ejection(in *v1alpha1.Ejection) *model.Ejection {
	if in == nil {
		return nil
	}
	out := model.DefaultEjection
	if in.Failures != nil {
		out.Failures = *in.Failures
	}
	if in.MaxPercent != 0 {
		out.MaxPercent = in.MaxPercent
	}
	if in.Backoff != "" {
		out.Backoff = c.duration(in.Backoff, "ejection.backoff")
	}
	if in.MaxBackoff != "" {
		out.MaxBackoff = c.duration(in.MaxBackoff, "ejection.maxBackoff")
	}
	out.OnReset = slices.Contains(in.Events, v1alpha1.EjectOnReset)
	out.OnTimeout = slices.Contains(in.Events, v1alpha1.EjectOnTimeout)
	for i, status := range in.Statuses {
		if !slices.Contains(ejectStatuses, int(status)) {
			c.invalid(fmt.Sprintf("ejection.statuses[%d]", i), "%d must be 500, 502, 503 or 504", status)
		}
		out.Statuses, _ = out.Statuses.With(int(status))
	}
	c.checkEjection(&out)
	return &out
}

func (c *compiler) checkEjection(e *model.Ejection) {
	if e.Failures < 0 || e.Failures > maxFailures {
		c.invalid("ejection.failures", "%d must be from 0 to %d", e.Failures, maxFailures)
	}
	if e.MaxPercent < 1 || e.MaxPercent > 100 {
		c.invalid("ejection.maxPercent", "%d must be from 1 to 100", e.MaxPercent)
	}
	if e.Backoff < minBackoff || e.Backoff > maxBackoff {
		c.invalid("ejection.backoff", "%s must be from %s to %s", e.Backoff, minBackoff, maxBackoff)
	}
	if e.MaxBackoff < e.Backoff || e.MaxBackoff > maxMaxBackoff {
		c.invalid("ejection.maxBackoff", "%s must be from backoff to %s", e.MaxBackoff, maxMaxBackoff)
	}
}
