package translate

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// AnnotationHSTS is the Strict-Transport-Security field of responses over TLS, or off.
const AnnotationHSTS = annotationPrefix + "hsts"

// hstsOff is the value that leaves the field to the app.
const hstsOff = "off"

// maxAge bounds max-age in seconds, because browsers enforce a wrong value for that long.
const maxAge = 10 * 365 * 24 * 60 * 60

var errHSTS = errors.New("it must be off, or max-age=SECONDS with optional" +
	" includeSubDomains and preload, separated by semicolons")

// ParseHSTS parses a value of Strict-Transport-Security (RFC 6797 section 6.1), and returns it in normalized form. It returns
// "" for "off" and "": the field is not set.
func ParseHSTS(value string) (string, error) {
	if value == hstsOff || value == "" {
		return "", nil
	}
	var h hsts
	for directive := range strings.SplitSeq(value, ";") {
		if err := h.read(strings.TrimSpace(directive)); err != nil {
			return "", err
		}
	}
	if h.age == "" {
		return "", errHSTS
	}
	return h.age + h.subdomains + h.preload, nil
}

// hsts holds the directives of a value.
type hsts struct{ age, subdomains, preload string }

func (h *hsts) read(directive string) error {
	if seconds, ok := strings.CutPrefix(strings.ToLower(directive), "max-age="); ok && h.age == "" {
		age, err := strconv.ParseUint(seconds, 10, 32)
		if err != nil || age > maxAge {
			return fmt.Errorf("max-age must be a whole number of seconds from 0 to %d", maxAge)
		}
		h.age = fmt.Sprintf("max-age=%d", age)
		return nil
	}
	switch {
	case strings.EqualFold(directive, "includeSubDomains") && h.subdomains == "":
		h.subdomains = "; includeSubDomains"
	case strings.EqualFold(directive, "preload") && h.preload == "":
		h.preload = "; preload"
	default:
		return errHSTS
	}
	return nil
}

// hstsValue returns the value of the annotation of an object. If the annotation is missing or invalid, it returns
// Options.HSTS, or that of the class, and false.
func (r *annotationReader) hstsValue() (value string, isSet bool) {
	fallback := r.options.HSTS
	if d := r.defaults(); d != nil && fallback == "" {
		fallback = d.HSTS
	}
	text, set := r.annotations[AnnotationHSTS]
	if !set {
		return fallback, false
	}
	value, err := ParseHSTS(text)
	if err == nil && text == "" {
		err = errHSTS
	}
	if err != nil {
		r.invalid(AnnotationHSTS, "annotation %s has the value %s: %s. The annotation is ignored", AnnotationHSTS, quote(text), err)
		return fallback, false
	}
	return value, true
}
