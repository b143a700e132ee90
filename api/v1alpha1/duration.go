package v1alpha1

import "time"

// Duration is a length of time as Gateway API writes it (GEP-2257): "1h30m", "500ms". It is never negative.
//
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
type Duration string

// Parse gives the length of time, and 0 for "". An error names the text that is no duration; the API server lets none
// of those pass.
func (d Duration) Parse() (time.Duration, error) {
	if d == "" {
		return 0, nil
	}
	return time.ParseDuration(string(d))
}
