package v1alpha1

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time in the format of Gateway API (GEP-2257), such as "1h30m" or "500ms". It is never
// negative.
//
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
type Duration string

// Parse returns d as a time.Duration, and 0 for the empty string. It returns an error if d is not a valid duration,
// which the API server never admits.
func (d Duration) Parse() (time.Duration, error) {
	if d == "" {
		return 0, nil
	}
	return time.ParseDuration(string(d))
}

// DurationPattern is the pattern of Duration in the schema.
const DurationPattern = `^([0-9]{1,5}(h|m|s|ms)){1,4}$`

// Problem describes why d is not valid, such as "d is not a unit; use h, m, s, ms". It returns "" if d is valid.
func (d Duration) Problem() string {
	const units = "use h, m, s, ms"
	rest, parts := string(d), 0
	for ; rest != ""; parts++ {
		unit := strings.TrimLeft(rest, "0123456789")
		digits := len(rest) - len(unit)
		next := strings.IndexAny(unit, "0123456789")
		if next < 0 {
			next = len(unit)
		}
		switch unit, rest = unit[:next], unit[next:]; {
		case digits == 0:
			return fmt.Sprintf("%s is not a whole number with a unit; %s", plain(unit), units)
		case unit[:min(len(unit), 1)] == ".":
			return "numbers must be whole; " + units
		case unit == "":
			return "the unit is missing; " + units
		case unit != "h" && unit != "m" && unit != "s" && unit != "ms":
			return fmt.Sprintf("%s is not a unit; %s", plain(unit), units)
		case digits > 5:
			return "a number has more than 5 digits"
		}
	}
	switch {
	case parts == 0:
		return `it is empty; write it like "1h30m", "45s" or "500ms"`
	case parts > 4:
		return "it has more than 4 numbers"
	}
	return ""
}

// plain returns the beginning of text for a message, with its control bytes escaped.
func plain(text string) string {
	const most = 16
	return strings.Trim(strconv.QuoteToASCII(text[:min(len(text), most)]), `"`)
}
