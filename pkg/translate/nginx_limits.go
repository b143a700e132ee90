package translate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// readSeconds returns a timeout of ingress-nginx, which is a whole number of seconds. Longer ones than maxTimeout are
// shortened.
func (r *annotationReader) readSeconds(v value) time.Duration {
	seconds, err := strconv.ParseInt(v.text, 10, 32)
	if err != nil || seconds < 1 {
		if v.text != "" {
			r.invalidValue(v.key, "it must be a whole number of seconds, at least 1")
		}
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxTimeout)
}

// readBodySize returns the maximum size of a request body.
func (r *annotationReader) readBodySize() int64 {
	v := r.setting(strings.TrimPrefix(AnnotationMaxBodyBytes, annotationPrefix), "proxy-body-size")
	if !v.isNginx {
		return r.readCount(v, 0, maxBody)
	}
	if v.text == "" {
		return 0
	}
	size, ok := parseSize(v.text)
	switch {
	case !ok:
		r.invalidValue(v.key, "it must be a size such as 8m, with k, m or g as the unit, or 0 for no limit")
		return 0
	case size == 0:
		return model.NoBound
	}
	return size
}

// sizeUnits are the units of nginx (http://nginx.org/en/docs/syntax.html), and b, which ingress-nginx accepts too.
var sizeUnits = map[byte]int64{'b': 1, 'k': 1 << 10, 'm': 1 << 20, 'g': 1 << 30}

// parseSize parses a size of nginx.
func parseSize(text string) (size int64, ok bool) {
	text = strings.ToLower(text)
	unit := int64(1)
	if u, isUnit := sizeUnits[text[len(text)-1]]; isUnit {
		unit, text = u, text[:len(text)-1]
	}
	number, err := strconv.ParseUint(text, 10, 63)
	if err != nil || int64(number) > maxBody/unit {
		return 0, false
	}
	return int64(number) * unit, true
}

// retryConditions are the values of proxy-next-upstream.
var retryConditions = []string{
	"error", "timeout", "invalid_header", "http_500", "http_502", "http_503", "http_504", "http_403", "http_404", "http_429",
	"non_idempotent", "updating", "off",
}

// AnnotationRetryOn lists the conditions on which requests are sent again.
const AnnotationRetryOn = annotationPrefix + "retry-on"

// readRetries sets the maximum number of attempts of a request, and the conditions for another attempt. With the condition off,
// there is one attempt.
func (r *annotationReader) readRetries(limits *model.Limits) {
	limits.MaxAttempts = r.readTries()
	conditions := r.setting(strings.TrimPrefix(AnnotationRetryOn, annotationPrefix), "proxy-next-upstream")
	fields, known := strings.Fields(conditions.text), retryConditions
	if !conditions.isNginx {
		known = ownRetryConditions
	}
	if i := slices.IndexFunc(fields, func(f string) bool { return !slices.Contains(known, f) }); i >= 0 {
		r.invalidValue(conditions.key, fmt.Sprintf("%s must be one of %s", quote(fields[i]), strings.Join(known, ", ")))
		return
	}
	if len(fields) == 0 {
		fields = r.defaultsOrZero().RetryConditions
	}
	if slices.Contains(fields, "off") {
		if !r.annotation(annotationPrefix, "max-attempts").isSet || conditions.text != "" {
			limits.MaxAttempts = 1
		}
		return
	}
	for _, field := range fields {
		status, err := strconv.Atoi(strings.TrimPrefix(field, "http_"))
		if err == nil {
			limits.RetryStatuses, _ = limits.RetryStatuses.With(status)
		}
	}
	limits.RetriesUnsafe = limits.RetryStatuses != 0 && slices.Contains(fields, "non_idempotent")
	if !conditions.isNginx && len(fields) > 0 && limits.RetryStatuses == 0 {
		r.report(ReasonNoEffect, conditions.key, "annotation %s has no effect without a status such as http_503", conditions.key)
	}
}

// ownRetryConditions are the values of AnnotationRetryOn. The others of nginx change nothing: failed connections are always
// retried, and late or invalid responses never are.
var ownRetryConditions = slices.DeleteFunc(slices.Clone(retryConditions), func(c string) bool {
	return slices.Contains([]string{"error", "timeout", "invalid_header", "updating"}, c)
})

// readTries returns the number of attempts. In ingress-nginx, 0 means no limit.
func (r *annotationReader) readTries() int {
	v := r.setting(strings.TrimPrefix(AnnotationMaxAttempts, annotationPrefix), "proxy-next-upstream-tries")
	if !v.isNginx {
		return int(r.readCount(v, 1, maxAttempts))
	}
	if v.text == "" {
		return 0
	}
	tries, err := strconv.ParseUint(v.text, 10, 31)
	switch {
	case err != nil:
		r.invalidValue(v.key, "it must be a whole number")
		return 0
	case tries == 0 || tries > maxAttempts:
		return maxAttempts
	}
	return int(tries)
}

// readRetryTimeout returns the time after which a request is not sent to another pod. Zero sets no limit.
func (r *annotationReader) readRetryTimeout() time.Duration {
	v := r.annotation(nginxPrefix, "proxy-next-upstream-timeout")
	if v.text == "0" {
		return 0
	}
	return cmp.Or(r.readSeconds(v), r.defaultsOrZero().RetryTimeout)
}

// readUnlogged reports whether requests of the object are left out of the access log.
func (r *annotationReader) readUnlogged() bool {
	v := r.setting(strings.TrimPrefix(AnnotationAccessLog, annotationPrefix), "enable-access-log")
	return !r.readBool(v, !r.defaultsOrZero().IsUnlogged)
}

// AnnotationAccessLog is false to leave requests out of the access log.
const AnnotationAccessLog = annotationPrefix + "access-log"
