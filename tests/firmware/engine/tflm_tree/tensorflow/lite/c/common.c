// An archive wants one member.
typedef int tflm_stand_in;
