package translate

import (
	"fmt"
	"strconv"
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
}

// Bounds of the annotations.
const (
	minTimeout  = 100 * time.Millisecond // the resolution of the timers of the data plane
	maxTimeout  = 24 * time.Hour
	maxBody     = 1 << 50
	maxAttempts = 10
)

// readLimits returns the limits of the annotations, or nil. Invalid annotations are not applied.
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
		r.invalidValue(key, fmt.Sprintf("it must be a duration such as 30s or 5m, from %s to %s", minTimeout, maxTimeout))
		return 0
	}
	return value
}

// readCount returns the number in an annotation, and model.NoBound for 0. It returns 0 if there is no valid number.
func (r *annotationReader) readCount(key string, least, most int64) int64 {
	text, set := r.annotations[key]
	if !set {
		return 0
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < least || value > most {
		r.invalidValue(key, fmt.Sprintf("it must be a whole number from %d to %d", least, most))
		return 0
	}
	if value == 0 {
		return model.NoBound
	}
	return value
}
