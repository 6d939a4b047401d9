"""What real phones and tools printed, as it was published; sources beside each. Shortened."""

# Samsung A52 5G, Android 12: android.stackexchange.com/questions/246774
THERMAL = """IsStatusOverride: false
ThermalEventListeners:
        callbacks: 1
        killed: false
        broadcasts count: -1
Thermal Status: 0
Cached temperatures:
        Temperature{mValue=0.0, mType=2, mName=SUBBAT, mStatus=0}
        Temperature{mValue=25.6, mType=0, mName=AP, mStatus=0}
HAL Ready: true
HAL connection:
        ThermalHAL 2.0 connected: yes
Current temperatures from HAL:
        Temperature{mValue=25.6, mType=0, mName=AP, mStatus=0}
        Temperature{mValue=23.8, mType=2, mName=BAT, mStatus=0}
        Temperature{mValue=25.7, mType=5, mName=PA, mStatus=0}
Current cooling devices from HAL:
Temperature static thresholds from HAL:
"""

# A Samsung phone on USB: gh0st.tistory.com/6
BATTERY = """Current Battery Service state:
  mBootCompleted: true
  AC powered: false
  USB powered: true
  Wireless powered: false
  Max charging current: 0
  Charge counter: 0
  status: 2
  health: 2
  present: true
  level: 84
  temperature: 326
  technology: Li-ion
  batteryMiscEvent: 0
"""

# An Android 4.4 box: blog.csdn.net/gjy211/article/details/64126999
PROPERTIES = """[ro.build.characteristics]: [mbx]
[ro.build.date]: [2014-08-14 16:50:37]
[ro.build.version.release]: [4.4.2]
[ro.product.cpu.abi2]: [armeabi]
[ro.product.model]: [K1]
[ro.product.locale.language]: [zh]
"""

# developer.android.com/tools/adb, Query for devices
ATTACHED = """List of devices attached
emulator-5556 device product:sdk_google_phone_x86_64 model:Android_SDK_built_for_x86_64 \
device:generic_x86_64
emulator-5554 device product:sdk_google_phone_x86 model:Android_SDK_built_for_x86 \
device:generic_x86
0a388e93      device usb:1-1 product:razor model:Nexus_7 device:flo
"""

# Fairphone's copy of platform/system/core, change d2acbd1: adb, help text for permission errors
FORBIDDEN = """List of devices attached
082f59270073e1e3  no permissions (verify udev rules); see [developer.android.com/tools/device.html]
"""

# github.com/tensorflow/tensorflow/issues/42507
BENCHMARK = """STARTING!
Num threads: [4]
Graph: [/data/local/tmp/espcn_harmonic_2x_slim_w_cl.tflite]
Loaded model /data/local/tmp/espcn_harmonic_2x_slim_w_cl.tflite
The input model file size (MB): 0.004448
Initialized session in 0.855ms.
Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding \
150 seconds.
count=15 first=49060 curr=33682 min=32825 max=49060 avg=34825.1 std=3930

Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding \
150 seconds.
count=50 first=32891 curr=33978 min=32641 max=34005 avg=33209.4 std=450

Inference timings in us: Init: 855, First inference: 49060, Warmup (avg): 34825.1, \
Inference (avg): 33209.4
Peak memory footprint (MB): init=0 overall=12.8672
"""

# github.com/google-research/google-research/issues/802, the last lines of a run
BENCHMARK_MEMORY = """Inference timings in us: Init: 17851, First inference: 2104, \
Warmup (avg): 1041.15, Inference (avg): 1039.66
Memory footprint delta from the start of the tool (MB): init=10.7383 overall=12.1055
"""

# github.com/yuenshome/yuenshome.github.io/issues/77, a tool of 2019
BENCHMARK_2019 = """STARTING!
Initialized session in 9.933ms
Running benchmark for at least 4 iterations and at least 0.5 seconds
count=7 first=127425 curr=66709 min=66709 max=127425 avg=76605.9 std=20944

Running benchmark for at least 10 iterations and at least 1 seconds
count=15 first=66753 curr=66800 min=66699 max=66838 avg=66767.6 std=39

Average inference timings in us: Warmup: 76605.9, Init: 9933, no stats: 66767.6
"""
