package translate

import (
	"fmt"
	"strconv"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The annotations of an Ingress about what its requests may take, where it is to be otherwise than the flags say.
const (
	// AnnotationTimeoutResponse is how long a pod may be silent.
	AnnotationTimeoutResponse = annotationPrefix + "timeout-response"
	// AnnotationTimeoutConnect is how long connecting to a pod may take.
	AnnotationTimeoutConnect = annotationPrefix + "timeout-connect"
	// AnnotationTimeoutBody is how long a client may pause in its body, or in reading the answer.
	AnnotationTimeoutBody = annotationPrefix + "timeout-body"
	// AnnotationMaxBodyBytes bounds the body of a request, 0 for no bound.
	AnnotationMaxBodyBytes = annotationPrefix + "max-body-bytes"
	// AnnotationMaxAttempts is how often a request is tried in all.
	AnnotationMaxAttempts = annotationPrefix + "max-attempts"
)

var limitAnnotations = []string{
	AnnotationTimeoutResponse, AnnotationTimeoutConnect, AnnotationTimeoutBody, AnnotationMaxBodyBytes, AnnotationMaxAttempts,
}

// What annotations may ask for.
const (
	minTimeout  = 100 * time.Millisecond // what the data plane keeps time by
	maxTimeout  = 24 * time.Hour
	maxBody     = 1 << 50
	maxAttempts = 10
)

// readLimits gives what the annotations of an Ingress say, nil if that is nothing. A wrong one is not applied.
func (r *annotationReader) readLimits() *model.Limits {
	limits := model.Limits{
		ResponseTimeout: r.readTimeout(AnnotationTimeoutResponse),
		ConnectTimeout:  r.readTimeout(AnnotationTimeoutConnect),
		BodyTimeout:     r.readTimeout(AnnotationTimeoutBody),
		MaxBodyBytes:    r.readCount(AnnotationMaxBodyBytes, 0, maxBody),
		MaxAttempts:     int(r.readCount(AnnotationMaxAttempts, 1, maxAttempts)),
	}
	if limits == (model.Limits{}) {
		return nil
	}
	return &limits
}

func (r *annotationReader) readTimeout(key string) time.Duration {
	text, set := r.annotations[key]
	if !set {
		return 0
	}
	value, err := time.ParseDuration(text)
	if err != nil || value < minTimeout || value > maxTimeout {
		r.wrongAnnotation(key, fmt.Sprintf("it must be a duration such as 30s or 5m, from %s to %s", minTimeout, maxTimeout))
		return 0
	}
	return value
}

// readCount gives NoBound for a 0, where that is allowed.
func (r *annotationReader) readCount(key string, least, most int64) int64 {
	text, set := r.annotations[key]
	if !set {
		return 0
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < least || value > most {
		r.wrongAnnotation(key, fmt.Sprintf("it must be a whole number from %d to %d", least, most))
		return 0
	}
	if value == 0 {
		return model.NoBound
	}
	return value
}

// refuseLimits names limits on a canary: its requests are those of the route that it belongs to.
func (r *annotationReader) refuseLimits() {
	for _, key := range limitAnnotations {
		if _, set := r.annotations[key]; set {
			r.invalid(key, "annotation %s has no effect on a canary: the limits of the route that it belongs to hold", key)
		}
	}
}
