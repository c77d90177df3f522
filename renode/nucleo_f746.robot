*** Settings ***
Documentation     The image of nucleo_f746 boots in Renode and answers HELLO with INFO.
...               renode-test --variable ELF:$PWD/.pio/build/nucleo_f746/firmware.elf \
...                   renode/nucleo_f746.robot
Library           OperatingSystem
Library           String

*** Variables ***
${ELF}            ${CURDIR}/../.pio/build/nucleo_f746/firmware.elf
${HELLO}          ${CURDIR}/../tests/golden/hello.hex
# COBS of INFO's header: type 0x81, flags 0, sequence number 1.
${INFO_HEADER}    02810201

*** Keywords ***
Create Board
    Execute Command    mach create "nucleo_f746"
    Execute Command    machine LoadPlatformDescription @${CURDIR}/nucleo_f746.repl
    Execute Command    sysbus LoadELF @${ELF}
    Create Terminal Tester    sysbus.usart3    timeout=5    binaryMode=true

Send Hello
    ${golden}=    Get File    ${HELLO}
    ${frame}=    Get Line    ${golden}    1
    @{bytes}=    Get Regexp Matches    ${frame}    [0-9a-f]{2}
    FOR    ${byte}    IN    @{bytes}
        Execute Command    sysbus.usart3 WriteChar 0x${byte}
    END

*** Test Cases ***
Answers Hello
    Create Board
    # Past the boot: a byte that comes before the USART is on is dropped.
    Execute Command    emulation RunFor "00:00:00.5"
    Start Emulation
    Send Hello
    Wait For Bytes On Uart    ${INFO_HEADER}
