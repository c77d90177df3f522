# ENGINE=tflm: the network of MODEL (the folder of its generated model_data and op_resolver) on
# TensorFlow Lite Micro, compiled from the tree TFLM_DIR. tflm.txt says what of that tree is taken.
TFLM_DIR ?=
MODEL ?=
ifeq ($(wildcard $(TFLM_DIR)/tensorflow/lite/micro/micro_interpreter.h),)
$(error ENGINE=tflm needs TFLM_DIR=, a tree of TensorFlow Lite Micro: docs/engines.md)
endif
ifeq ($(wildcard $(MODEL)/op_resolver.cc),)
$(error ENGINE=tflm needs MODEL=, a folder with a run's model_data.cc and op_resolver.cc)
endif

TFLM_NAME ?= TFLite Micro, local tree
TFLM_LEAVE := $(shell sed -n 's/^!//p' tflm.txt)
TFLM_STRINGS := $(shell sed -n 's/^+//p' tflm.txt)
TFLM_ALL := $(wildcard $(addprefix $(TFLM_DIR)/,$(shell grep '^t' tflm.txt)))
# Whether the name of file 1 contains one of the words 2.
named = $(strip $(foreach part,$(2),$(findstring $(part),$(notdir $(1)))))
TFLM_SOURCES := $(foreach file,$(TFLM_ALL),$(if $(call named,$(file),$(TFLM_LEAVE)),,$(file)))
TFLM_PATHS := $(addprefix -isystem $(TFLM_DIR),. \
                /third_party/flatbuffers/include /third_party/gemmlowp /third_party/ruy \
                /third_party/cmsis_nn /third_party/cmsis_nn/Include)
# ARDUINO: libraries made for it leave out by that name what needs a heap.
TFLM_FLAGS := -DTF_LITE_STATIC_MEMORY -DARDUINO -DTF_LITE_DISABLE_X86_NEON \
              $(TFLM_PATHS:$(TFLM_DIR).=$(TFLM_DIR))
TFLM_STRIP := -DTF_LITE_STRIP_ERROR_STRINGS
tflm_strip = $(if $(call named,$(1),$(TFLM_STRINGS)),,$(TFLM_STRIP))
CXXFLAGS += $(TFLM_FLAGS) $(TFLM_STRIP) -isystem $(MODEL) '-DTINYROBUST_TFLM="$(TFLM_NAME)"'

define tflm_rules
# It includes the network's op_resolver.h, and the next network's is another file.
$(OUT)/$(1)/engine/tflm/engine.o: ALWAYS
$(OUT)/$(1)/libtflm.a: $(patsubst $(TFLM_DIR)/%,$(OUT)/$(1)/tflm/%.o,$(TFLM_SOURCES))
	@rm -f $$@.part
	@$$(AR) rcs $$@.part $$^ && $$(FINISH)
$(OUT)/$(1)/tflm/%.o: OPTIONS := $(2)
$(OUT)/$(1)/tflm/%.o: $(TFLM_DIR)/% tflm.mk tflm.txt
	@mkdir -p $$(@D)
	@echo "  TFLM $$@"
	@$$(if $$(filter %.c,$$<),$$(CC) -std=c11,$$(CXX) -std=c++17 -fno-exceptions -fno-rtti) \
	  $$(TFLM_FLAGS) $$(call tflm_strip,$$<) -fwrapv -fno-strict-aliasing -w $$(OPTIONS) \
	  -c -o $$@.part $$< && $$(FINISH)
$(OUT)/$(1)/model_data.o $(OUT)/$(1)/op_resolver.o: $(OUT)/$(1)/%.o: $(MODEL)/%.cc ALWAYS
	@mkdir -p $$(@D)
	@$$(CXX) -std=c++17 -fno-exceptions -fno-rtti $$(TFLM_FLAGS) $$(TFLM_STRIP) -w $$(OPTIONS) \
	  -c -o $$@.part $$< && $$(FINISH)
endef
$(eval $(call tflm_rules,native,$(FAST)))
$(eval $(call tflm_rules,asan,$(SANITIZE)))
