package v1alpha1

import "time"

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
