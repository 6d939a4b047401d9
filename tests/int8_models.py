"""The real int8 models, by what they are: paths below `real_models`."""

from __future__ import annotations

INT8_MODELS = {
    "kws": "kws_dscnn/kws_ref_model_int8.tflite",
    "ic": "ic_resnet8/pretrainedResnet_int8.tflite",
    "vww": "vww_mobilenetv1/vww_96_int8.tflite",
    "miniresnet": "stm_audio/miniresnet_1stacks_64x50_int8.tflite",
    "micro_speech": "tflm_examples/micro_speech_int8.tflite",
    "mltk_speech": "mltk_small/tflite_micro_speech/tflite_micro_speech.tflite",
    "magic_wand": "mltk_small/tflite_micro_magic_wand/tflite_micro_magic_wand.tflite",
    "lstm": "tflm_examples/mnist_lstm_int8.tflite",
    "hello": "tflm_examples/hello_world_int8.tflite",
}
