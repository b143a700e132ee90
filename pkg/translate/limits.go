package translate

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The annotations of an Ingress that override the limits of the flags.
const (
	// AnnotationTimeoutResponse is the timeout for the next bytes of a response from a pod.
	AnnotationTimeoutResponse = annotationPrefix + "timeout-response"
	// AnnotationTimeoutConnect is the timeout for connecting to a pod.
	AnnotationTimeoutConnect = annotationPrefix + "timeout-connect"
	// AnnotationTimeoutBody is the timeout for a client that pauses in sending a body or in reading the response.
	AnnotationTimeoutBody = annotationPrefix + "timeout-body"
	// AnnotationMaxBodyBytes is the maximum size of a request body. Zero disables the limit.
	AnnotationMaxBodyBytes = annotationPrefix + "max-body-bytes"
	// AnnotationMaxAttempts is the maximum number of attempts of a request, including the first.
	AnnotationMaxAttempts = annotationPrefix + "max-attempts"
)

var limitAnnotations = []string{
	AnnotationTimeoutResponse, AnnotationTimeoutConnect, AnnotationTimeoutBody, AnnotationMaxBodyBytes, AnnotationMaxAttempts,
	AnnotationRetryOn,
}

// Bounds of the annotations.
const (
	minTimeout  = 100 * time.Millisecond // the resolution of the timers of the data plane
	maxTimeout  = 24 * time.Hour
	maxBody     = 1 << 50
	maxAttempts = 10
)

// readLimits returns the limits of the annotations and of the class, or nil. Invalid annotations are not applied.
func (r *annotationReader) readLimits() *model.Limits {
	limits := model.Limits{
		ResponseTimeout: r.readTimeout(AnnotationTimeoutResponse, "proxy-read-timeout"),
		ConnectTimeout:  r.readTimeout(AnnotationTimeoutConnect, "proxy-connect-timeout"),
		BodyTimeout:     r.readTimeout(AnnotationTimeoutBody, "proxy-send-timeout"),
		MaxBodyBytes:    r.readBodySize(),
		RetryTimeout:    r.readRetryTimeout(),
	}
	r.readRetries(&limits)
	d := r.defaultsOrZero()
	limits.ResponseTimeout = cmp.Or(limits.ResponseTimeout, d.ReadTimeout)
	limits.ConnectTimeout = cmp.Or(limits.ConnectTimeout, d.ConnectTimeout)
	limits.BodyTimeout = cmp.Or(limits.BodyTimeout, d.SendTimeout)
	limits.MaxBodyBytes = cmp.Or(limits.MaxBodyBytes, d.MaxBodyBytes)
	limits.MaxAttempts = cmp.Or(limits.MaxAttempts, d.MaxAttempts)
	if limits == (model.Limits{}) {
		return nil
	}
	return &limits
}

// readTimeout returns a timeout. That of ingress-nginx is in seconds.
func (r *annotationReader) readTimeout(key, nginx string) time.Duration {
	v := r.setting(strings.TrimPrefix(key, annotationPrefix), nginx)
	switch {
	case !v.isSet:
		return 0
	case v.isNginx:
		return r.readSeconds(v)
	}
	value, err := time.ParseDuration(v.text)
	if err != nil || value < minTimeout || value > maxTimeout {
		r.invalidValue(key, fmt.Sprintf("it must be a duration such as 30s or 5m, from %s to %s", minTimeout, maxTimeout))
		return 0
	}
	return value
}

// readCount returns the number in an annotation, and model.NoBound for 0. It returns 0 if there is no valid number.
func (r *annotationReader) readCount(v value, least, most int64) int64 {
	if !v.isSet {
		return 0
	}
	count, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil || count < least || count > most {
		r.invalidValue(v.key, fmt.Sprintf("it must be a whole number from %d to %d", least, most))
		return 0
	}
	if count == 0 {
		return model.NoBound
	}
	return count
}
